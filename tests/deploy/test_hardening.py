"""What is deployed can do no more than it must."""

from __future__ import annotations

import re

from tests.deploy.plans import DEPLOY, compose, kubernetes, pod_specs, units

DOCKERFILE = (DEPLOY / "images" / "Dockerfile").read_text()


def test_every_service_is_held_to_a_read_only_root_and_no_capability() -> None:
    for name, service in compose()["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name


def test_nothing_is_published_beyond_this_machine() -> None:
    ports = {name: one["ports"] for name, one in compose()["services"].items() if "ports" in one}
    assert set(ports) == {"flower", "prometheus"}
    assert all(port.startswith("127.0.0.1:") for each in ports.values() for port in each)


def test_servers_are_reached_through_networks_without_a_way_out() -> None:
    networks = compose()["networks"]
    for name, service in compose()["services"].items():
        open_ones = {one for one in service.get("networks", []) if not networks[one].get("internal")}
        assert not open_ones or name in ("flower", "prometheus"), name


def test_no_secret_stands_in_an_environment() -> None:
    for name, service in compose()["services"].items():
        secret = [key for key in service.get("environment", {}) if re.search("PASSWORD|SECRET|KEY", key)]
        assert all(key.endswith("_FILE") for key in secret), name


def test_every_image_ends_as_a_user_that_is_not_root() -> None:
    for target in ("coordinator", "setup", "worker-cpu", "worker-gpu", "client", "flower"):
        stage = re.search(rf"^FROM \S+ AS {target}$(.*?)(^FROM|\Z)", DOCKERFILE, re.M | re.S)
        assert stage, target
        assert re.findall(r"^USER (.*)$", stage[1], re.M)[-1] == "10001:10001", target


def test_what_runs_long_is_asked_whether_it_is_well() -> None:
    ours = {"coordinator", "worker-cpu", "worker-gpu", "flower"}
    for target in ours:
        stage = re.search(rf"^FROM \S+ AS {target}$(.*?)^(FROM|ENTRYPOINT)", DOCKERFILE, re.M | re.S)
        assert stage, target
        assert "HEALTHCHECK" in stage[1], target
    services = compose()["services"]
    assert all("healthcheck" in services[name] for name in ("redis", "store", "prometheus"))


def test_every_pod_is_what_a_restricted_namespace_takes() -> None:
    for name, pod in pod_specs():
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for box in pod["containers"]:
            assert box["securityContext"]["readOnlyRootFilesystem"] is True, name
            assert box["securityContext"]["allowPrivilegeEscalation"] is False, name
            assert box["securityContext"]["capabilities"] == {"drop": ["ALL"]}, name
            assert "memory" in box["resources"]["limits"], name


def test_a_pod_has_more_time_to_end_than_its_workers_take() -> None:
    from quincunx_shared.farm.celery_settings import celery_settings

    soft = celery_settings("redis://localhost/0", "qx")["worker_soft_shutdown_timeout"]
    graces = {name: pod["terminationGracePeriodSeconds"] for name, pod in pod_specs() if name.startswith("worker-")}
    assert set(graces) == {"worker-cpu", "worker-gpu"}
    assert min(graces.values()) >= 2 * soft


def test_who_may_speak_to_whom_is_written_for_both_sides() -> None:
    """A closed namespace needs a way out of the one and a way into the other."""
    rules = {one["metadata"]["name"]: one["spec"] for one in kubernetes() if one["kind"] == "NetworkPolicy"}
    for server in ("redis", "store"):
        [into] = rules[server]["ingress"]
        [out] = rules[f"{server}-callers"]["egress"]
        assert into["ports"] == out["ports"]
        assert into["from"][0]["podSelector"] == rules[f"{server}-callers"]["podSelector"]


def test_every_service_of_systemd_is_hardened_by_its_name() -> None:
    services = [name for name in units() if name.endswith(".service")]
    assert services
    assert all(name.startswith("quincunx-") for name in services)
    assert not any("User=root" in text for text in units().values())
