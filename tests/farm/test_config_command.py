"""`quincunx config show`, as a person runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from quincunx_orchestrator.cli.farm.config import command


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("QUINCUNX_CONFIG_DIR", str(tmp_path / "user"))
    monkeypatch.setenv("QUINCUNX_DEV_DIR", str(tmp_path / "dev"))
    monkeypatch.chdir(tmp_path)
    secret = tmp_path / "secret"
    secret.write_text("canary")
    secret.chmod(0o600)
    (tmp_path / "quincunx.toml").write_text("[farm]\nredis_password_file = 'secret'\n")
    return tmp_path


def test_every_setting_is_shown_with_its_origin(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUINCUNX_FARM_LEASE_SECONDS", "20")
    result = CliRunner().invoke(command, ["show", "--origin", "--namespace", "stage"])
    assert result.exit_code == 0
    rows = {line.split()[0]: line.split(maxsplit=2)[1:] for line in result.stdout.splitlines()}
    assert rows["namespace"] == ["stage", "flag --namespace"]
    assert rows["lease_seconds"] == ["20.0", "environment QUINCUNX_FARM_LEASE_SECONDS"]
    assert rows["redis_password_file"][1] == f"{project / 'quincunx.toml'}: farm.redis_password_file"
    assert rows["max_jobs"] == ["1000", "default"]
    assert "the user's file:" in result.stderr
    assert "canary" not in result.output


@pytest.mark.parametrize(("package", "typed"), [("redis", ("jobs",)), ("celery", ("watch", "1"))])
def test_a_package_that_is_missing_is_told_with_its_extra(project: Path, package: str, typed: tuple[str, ...]) -> None:
    script = f"""
import sys
class Missing:
    def find_spec(self, name, *_):
        if name == {package!r}:
            raise ModuleNotFoundError(name=name)
sys.meta_path.insert(0, Missing())
from quincunx_orchestrator.cli.main import main
main()
"""
    farm = {"QUINCUNX_FARM_REDIS_URL": "redis://127.0.0.1:1/0", "QUINCUNX_FARM_STORE": (project / "s").as_uri()}
    command = [sys.executable, "-c", script, *typed]
    told = subprocess.run(command, env={**os.environ, **farm}, capture_output=True, text=True, check=False)
    assert told.returncode == 1
    assert told.stderr.splitlines()[-1] == "  → pip install 'quincunx[farm]'"


def test_one_json_document(project: Path) -> None:
    document = json.loads(CliRunner().invoke(command, ["show", "--json"]).stdout)
    assert document["schema"] == 1
    assert document["settings"]["redis_password_file"] == str(project / "secret")
    document = json.loads(CliRunner().invoke(command, ["show", "--json", "--origin"]).stdout)
    assert document["settings"]["store"] == {"value": "", "origin": "default"}
