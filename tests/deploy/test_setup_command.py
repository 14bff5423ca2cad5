"""The commands that run once, before everything else, as the containers run them."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from pathlib import Path

from tests.farm.s3_server import S3Server


def setup(*arguments: str, **told: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "quincunx_orchestrator.farm.setup", *arguments]
    environ = {**os.environ, **{f"QUINCUNX_FARM_{name.upper()}": value for name, value in told.items()}}
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)


def test_the_bucket_is_made_once(s3_server: S3Server, tmp_path: Path) -> None:
    files = {"store_access_key_file": s3_server.access_key, "store_secret_key_file": s3_server.secret_key}
    for name, key in files.items():
        (tmp_path / name).write_text(key)
        (tmp_path / name).chmod(0o600)
    name = f"setup-{uuid.uuid4().hex[:12]}"
    told = {"store": f"s3://{s3_server.endpoint}/{name}", **{one: str(tmp_path / one) for one in files}}
    first, second = setup("bucket", **told), setup("bucket", **told)
    assert (first.returncode, first.stdout, first.stderr) == (0, "", "made the bucket\n")
    assert (second.returncode, second.stderr) == (0, "the bucket is there\n")
    assert s3_server.bucket(name).exists()


def test_a_store_that_is_away_is_told_and_tried_again_by_whoever_runs_it(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("key")
    (tmp_path / "key").chmod(0o600)
    files = {"store_access_key_file": str(tmp_path / "key"), "store_secret_key_file": str(tmp_path / "key")}
    ran = setup("bucket", store="s3://127.0.0.1:9/quincunx", **files)
    assert ran.returncode == 6
    assert "does not answer" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_secrets_are_made_for_a_container_to_read(tmp_path: Path) -> None:
    ran = setup("secrets", "--shared", str(tmp_path))
    assert (ran.returncode, ran.stdout) == (0, "")
    assert "made worker/redis_password" in ran.stderr
    assert {path.stat().st_mode & 0o777 for path in tmp_path.rglob("*") if path.is_file()} == {0o444}
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or path.read_text() not in ran.stderr
