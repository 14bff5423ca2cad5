"""What is watched is what is told."""

from __future__ import annotations

import json
import re

import yaml
from tests.deploy.plans import DEPLOY, compose, kubernetes, kustomizations

from quincunx_orchestrator.farm.metrics.exposition import families
from quincunx_orchestrator.farm.metrics.reading import Reading
from quincunx_orchestrator.farm.metrics.server import answer
from quincunx_shared.farm.step_counts import BUNDLES_QUARANTINED, BUNDLES_REDRIVEN, STEP_BOUNDS, duration, waited

METRIC = re.compile(r"quincunx_[a-z_]+[a-z]")

#: A farm of which everything is known.
FULL = Reading(
    up=True,
    jobs={("running", ""): 1},
    queues={("cpu", "user"): 1},
    open_bundles={"cpu": 1, "gpu": 0},
    leases={"cpu": 1},
    nodes={("worker", "up"): 1},
    slots={"cpu": 1},
    gauges={"anna": {"vram_used_bytes": 1.0, "vram_total_bytes": 2.0}},
    counters={
        **duration("step_seconds|mix", 1.0, STEP_BOUNDS),
        **waited("quincunx.cpu.user", 1.0),
        BUNDLES_REDRIVEN: 1,
        BUNDLES_QUARANTINED: 1,
        "steps|mix|ran": 1,
        "planned_steps|recalled": 1,
    },
    refused={"forged": 1},
)


def told() -> set[str]:
    return {sample.name for family in families(FULL) for sample in family.samples} | {"quincunx_queue_wait_seconds"}


def test_every_metric_of_an_alert_is_told() -> None:
    rules = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())["groups"][0]["rules"]
    asked = {name for rule in rules for name in METRIC.findall(rule["expr"])}
    assert asked - told() == set()


def test_every_metric_of_the_manual_is_told() -> None:
    manual = (DEPLOY / "README.md").read_text().partition("## What to watch")[2].partition("\n## ")[0]
    assert set(METRIC.findall(manual)) - told() == set()


def test_scaling_asks_for_what_coordinators_answer() -> None:
    status, kind, body = answer("/scale", lambda: FULL)
    assert (status, kind) == (200, "application/json")
    scaled = [one for one in kubernetes() if one["kind"] == "ScaledObject"]
    assert len(scaled) == 2
    for one in scaled:
        [trigger] = one["spec"]["triggers"]
        found = json.loads(body)
        for part in trigger["metadata"]["valueLocation"].split("."):
            found = found[part]
        assert isinstance(found, int)
        assert trigger["metadata"]["url"].endswith(":9540/scale")


def test_coordinators_are_found_where_they_serve() -> None:
    service = compose()["services"]["coordinator"]
    port = service["environment"]["QUINCUNX_FARM_METRICS_ADDRESS"].rpartition(":")[2]
    scrape = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())["scrape_configs"][0]
    assert str(scrape["dns_sd_configs"][0]["port"]) == port
    assert "watch" in service["networks"]
    assert "watch" in compose()["services"]["prometheus"]["networks"]


def test_one_configuration_serves_compose_and_kubernetes() -> None:
    configs = {one["file"] for one in compose()["configs"].values()}
    generated = {
        str((path.parent / name).relative_to(DEPLOY.parent))
        for path, told in kustomizations().items()
        for one in told.get("configMapGenerator", [])
        for name in one["files"]
    }
    assert generated <= configs
