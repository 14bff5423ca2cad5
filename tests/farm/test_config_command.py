"""`quincunx config show`, as a person runs it."""

from __future__ import annotations

import json
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


def test_one_json_document(project: Path) -> None:
    document = json.loads(CliRunner().invoke(command, ["show", "--json"]).stdout)
    assert document["schema"] == 1
    assert document["settings"]["redis_password_file"] == str(project / "secret")
    document = json.loads(CliRunner().invoke(command, ["show", "--json", "--origin"]).stdout)
    assert document["settings"]["store"] == {"value": "", "origin": "default"}
