"""What deployments tell a farm is what a farm can be told, and people can read of all of it."""

from __future__ import annotations

import re
from pathlib import Path

from tests.deploy.plans import DEPLOY, ROOT, compose, kubernetes, kustomizations, units

from quincunx_orchestrator.farm.setup.secret_folder import SecretFolder
from quincunx_shared.farm.settings import FarmSettings
from quincunx_shared.farm.settings_layers import load_settings

VARIABLE = re.compile(r"QUINCUNX_FARM_([A-Z_]+)")
PLACES = [ROOT / "compose.yaml", *(path for path in DEPLOY.rglob("*") if path.is_file() and path.suffix != ".pyc")]


def test_every_variable_that_is_named_is_a_setting() -> None:
    named = {(path.name, name.lower()) for path in PLACES for name in VARIABLE.findall(path.read_text())}
    assert named, "the files name none at all"
    assert {row for row in named if row[1] not in FarmSettings.model_fields} == set()


def test_every_setting_stands_in_the_manual() -> None:
    manual = (DEPLOY / "README.md").read_text()
    assert [name for name in FarmSettings.model_fields if f"`{name}`" not in manual] == []


def test_the_manual_tells_the_defaults_that_hold() -> None:
    settings = (DEPLOY / "README.md").read_text().partition("\n## Settings\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.*?`) \|([^|]*)\|", settings, re.M)
    told = {
        name: text
        for names, texts in rows
        for name, text in zip(re.findall(r"`(\w+)`", names), _defaults(texts, names.count(", ") + 1), strict=True)
    }
    assert told == {name: _as_told(one.default) for name, one in FarmSettings.model_fields.items()}


def _defaults(texts: str, count: int) -> list[str]:
    """A default for each of the names; words such as "the user's" say that nothing is set."""
    each = [re.sub(r"^the .*", "", one.strip()) for one in texts.split(",")]
    return each if len(each) == count else each * count


def _as_told(default: object) -> str:
    if isinstance(default, int) and default >= 10**9:
        return f"{default // 10**9} GB"
    return f"{default:g}" if isinstance(default, int | float) else str(default or "")


def test_every_value_can_be_read(tmp_path: Path) -> None:
    for told in _told():
        load_settings(environ=told, directory=tmp_path)


def test_every_role_is_given_what_it_needs_to_reach_its_servers() -> None:
    needed = {"QUINCUNX_FARM_REDIS_URL", "QUINCUNX_FARM_REDIS_USERNAME", "QUINCUNX_FARM_REDIS_PASSWORD_FILE"}
    services = compose()["services"]
    for role in ("coordinator", "worker-cpu", "worker-gpu", "client", "flower"):
        assert needed <= services[role]["environment"].keys(), role


def test_every_secret_that_is_asked_for_is_one_that_the_setup_makes(tmp_path: Path) -> None:
    folder = SecretFolder(tmp_path)
    folder.fill("qx", "quincunx")
    made = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    generator = kustomizations()[DEPLOY / "kubernetes" / "secrets" / "kustomization.yaml"]["secretGenerator"]
    asked = {name.removeprefix("files/") for one in generator for name in one["files"]}
    asked |= set(re.findall(r"/etc/quincunx/secrets/(\S+)", "\n".join(units().values())))
    assert asked - made == set()
    assert made - asked == set(), "made for nobody"


def _told() -> list[dict[str, str]]:
    services = [one.get("environment", {}) for one in compose()["services"].values()]
    maps = [one["data"] for one in kubernetes() if one["kind"] == "ConfigMap"]
    env = [dict(re.findall(r"^(?:Environment=)?(QUINCUNX_FARM_\w+)=(.*)$", text, re.M)) for text in units().values()]
    return [
        {key: str(value) for key, value in told.items() if "%" not in str(value)} for told in (*services, *maps, *env)
    ]
