"""What the files of `deploy/` say, read once, for the tests that compare them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"

#: The roles that have an image with code of this project, and the folders of code in it.
ROLES: Mapping[str, tuple[str, ...]] = {
    "coordinator": ("shared", "orchestrator"),
    "worker-cpu": ("shared", "workers"),
    "worker-gpu": ("shared", "workers"),
    "client": ("shared", "orchestrator", "workers"),
}


def compose() -> dict[str, Any]:
    """The compose file, with its anchors followed."""
    return _yaml(ROOT / "compose.yaml")[0]


def kubernetes() -> list[dict[str, Any]]:
    """Every object of the manifests; what kustomize makes of them is checked with kustomize."""
    files = sorted((DEPLOY / "kubernetes").rglob("*.yaml"))
    return [one for path in files if path.name != "kustomization.yaml" for one in _yaml(path)]


def kustomizations() -> dict[Path, dict[str, Any]]:
    """What kustomize is told, by file."""
    return {path: _yaml(path)[0] for path in sorted(DEPLOY.rglob("kustomization.yaml"))}


def pod_specs() -> Iterator[tuple[str, dict[str, Any]]]:
    """The pods of all workloads, with the name of the workload."""
    for one in kubernetes():
        template = one.get("spec", {}).get("template")
        if template:
            yield one["metadata"]["name"], template["spec"]


def units() -> dict[str, str]:
    """The systemd units and drop-ins, by name."""
    kinds = (".service", ".target", ".conf", ".env")
    return {path.name: path.read_text() for path in sorted((DEPLOY / "systemd").rglob("*")) if path.suffix in kinds}


def project() -> dict[str, Any]:
    """pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def pins(name: str) -> dict[str, set[str]]:
    """Package → versions of a file of pins; several where they differ by Python's version."""
    found: dict[str, set[str]] = {}
    for line in (DEPLOY / "pins" / f"{name}.txt").read_text().splitlines():
        package, _, rest = line.partition("==")
        found.setdefault(package, set()).add(rest.split(" ")[0])
    return found


def group(name: str) -> set[str]:
    """The packages of a dependency group, those of included groups among them."""
    groups = project()["dependency-groups"]
    found: set[str] = set()
    for one in groups[name]:
        found |= group(one["include-group"]) if isinstance(one, dict) else {package(one)}
    return found


def package(requirement: str) -> str:
    """The name in a requirement, spelled as in pins."""
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match, requirement
    return re.sub(r"[-_.]+", "-", match[0]).lower()


def _yaml(path: Path) -> list[dict[str, Any]]:
    return [one for one in yaml.safe_load_all(path.read_text()) if one]
