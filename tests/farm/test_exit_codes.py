"""Programs of a farm end with a code that says what was wrong, to scripts and to supervisors alike."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from tests.farm.farm_shell import shell_of
from tests.farm.s3_server import S3Server

from quincunx_orchestrator.farm.processes import coordinator_command, worker_command
from quincunx_orchestrator.farm.redis_server import RedisServer
from quincunx_shared.stores.bucket import Bucket

NOBODY = "redis://127.0.0.1:1/0"


def secret(path: Path, content: str) -> str:
    path.write_text(content)
    path.chmod(0o600)
    return str(path)


@pytest.fixture
def farm(redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder from which commands find a farm that has a Redis and no store yet."""
    settings = {
        "REDIS_URL": redis_server.url,
        "ENVELOPE_KEY_FILE": secret(tmp_path / "envelope", "a key of this farm, thirty-two bytes at least"),
        "STORE_ACCESS_KEY_FILE": secret(tmp_path / "access", "farm:worker"),
        "STORE_SECRET_KEY_FILE": secret(tmp_path / "secret", "not the secret of this key"),
        "STORE_RETRIES": "0",
        "CACHE_DIR": str(tmp_path / "cache"),
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"QUINCUNX_FARM_{name}", value)
    monkeypatch.setenv("QUINCUNX_CONFIG_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("farm", "redis")
def test_a_store_that_does_not_answer_is_six(capsys: pytest.CaptureFixture[str]) -> None:
    answer = shell_of(capsys)("cache", "stats", "--farm", "--store", "s3://127.0.0.1:1/quincunx")
    assert answer.code == 6
    assert "the store does not answer" in answer.err
    assert answer.err.endswith("→ quincunx doctor\n")


@pytest.mark.usefixtures("farm", "redis")
def test_a_store_that_refuses_the_key_is_four(
    s3_server: S3Server, bucket: Bucket, capsys: pytest.CaptureFixture[str]
) -> None:
    name = bucket.where.rpartition("/")[2]
    answer = shell_of(capsys)("cache", "stats", "--farm", "--store", f"s3://{s3_server.endpoint}/{name}")
    assert answer.code == 4
    assert "the store refuses" in answer.err
    assert answer.err.endswith("→ quincunx doctor\n")


@pytest.mark.parametrize(
    ("variables", "code"),
    [
        ({"LOG_LEVEL": "shout"}, 2),
        ({"REDIS_URL": NOBODY}, 6),
        ({"REDIS_USERNAME": "nobody", "REDIS_PASSWORD_FILE": "secret"}, 4),
    ],
    ids=["a wrong setting", "no Redis", "a wrong password"],
)
def test_a_coordinator_that_cannot_begin_says_why(farm: Path, variables: dict[str, str], code: int) -> None:
    told = {f"QUINCUNX_FARM_{name}": value for name, value in {"STORE": farm.as_uri(), **variables}.items()}
    ended = subprocess.run(coordinator_command(), env={**os.environ, **told}, capture_output=True, timeout=60)
    assert ended.returncode == code


@pytest.mark.usefixtures("farm")
@pytest.mark.parametrize("role", ["coordinator", "worker"])
def test_a_flag_that_says_no_setting_is_named(role: str, capsys: pytest.CaptureFixture[str]) -> None:
    answer = shell_of(capsys)(role, "--lease-seconds", "soon")
    assert (answer.code, "flag --lease-seconds: " in answer.err) == (2, True)
    assert "'debug', 'info', 'warning' or 'error'" in shell_of(capsys)(role, "--log-level", "shout").err


@pytest.mark.parametrize(
    ("variables", "code"),
    [
        ({"LOG_LEVEL": "shout"}, 2),
        ({"ENVELOPE_KEY_FILE": "nowhere"}, 2),
        ({"STORE": "s3://127.0.0.1:1/quincunx", "STORE_SECRET_KEY_FILE": "nowhere"}, 2),
        ({"REDIS_USERNAME": "nobody", "REDIS_PASSWORD_FILE": "secret"}, 4),
    ],
    ids=["a wrong setting", "no key", "no key of the store", "a wrong password"],
)
def test_a_worker_that_will_never_work_ends_and_says_why(farm: Path, variables: dict[str, str], code: int) -> None:
    told = {f"QUINCUNX_FARM_{name}": value for name, value in {"STORE": farm.as_uri(), **variables}.items()}
    ended = subprocess.run(worker_command((), "cpu"), env={**os.environ, **told}, capture_output=True, timeout=60)
    assert (ended.returncode, len(ended.stderr.splitlines())) == (code, 1), ended.stderr
