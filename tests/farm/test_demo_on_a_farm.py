"""The demo song through the command line, on a farm of processes over a real S3 server: as this machine makes it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.farm.real_farm import RealFarm, real_farm
from tests.farm.test_whole_farm import messages

import quincunx_orchestrator
from quincunx_orchestrator.farm.processes import environment_of

if TYPE_CHECKING:
    from tests.farm.s3_server import S3Server

    from quincunx_shared.stores.bucket import Bucket

DEMO = Path(quincunx_orchestrator.__file__).parent / "songs" / "demo.ustx"


@pytest.fixture
def farm(tmp_path: Path, s3_server: S3Server, bucket: Bucket) -> Iterator[RealFarm]:
    """A coordinator, two cpu workers and a gpu worker, all on S3."""
    for name, secret in (("access", s3_server.access_key), ("secret", s3_server.secret_key)):
        (tmp_path / name).write_text(secret)
        (tmp_path / name).chmod(0o600)
    on_server = {
        "store": f"s3://{s3_server.endpoint}/{bucket.where.rpartition('/')[2]}",
        "store_access_key_file": tmp_path / "access",
        "store_secret_key_file": tmp_path / "secret",
    }
    (tmp_path / "farm").mkdir()
    with real_farm(tmp_path / "farm", lease_seconds=15.0, **on_server) as running:
        running.coordinator()
        running.worker("one")
        running.worker("two")
        running.worker("three", "gpu", 2)
        running.ready()
        yield running


def quincunx(farm: RealFarm, home: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Type a command."""
    own = {"QUINCUNX_CACHE_DIR": str(home / "cache"), "XDG_DATA_HOME": str(home / "data")}
    environment = {**environment_of(farm.settings, os.environ), **own}
    command = [sys.executable, "-m", "quincunx_orchestrator.cli", *map(str, words)]
    return subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, check=False, timeout=170)


def counts(farm: RealFarm) -> dict[str, int]:
    """What became of the steps of the newest job."""
    with farm.client() as near:
        record = near.farm.jobs.jobs(limit=1)[0]
        assert record.state == "succeeded"
        found: dict[str, int] = record.result["counts"]
        return found


def test_the_demo_song_is_the_same_to_the_bit_and_made_once(farm: RealFarm, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    song = home / "song.ustx"
    song.write_bytes(DEMO.read_bytes())
    here = quincunx(farm, home, "render", song, "-o", "here.wav")
    assert here.returncode == 0, here.stderr
    told = quincunx(farm, home, "submit", song, "--watch", "-o", "there.wav")
    assert told.returncode == 0, told.stderr + farm.logs()
    assert (home / "there.wav").read_bytes() == (home / "here.wav").read_bytes()
    every = counts(farm)["run"]
    assert every > 20

    sent = messages(farm)
    told = quincunx(farm, home, "submit", song, "--watch", "-o", "again.wav")
    assert told.returncode == 0, told.stderr
    assert (home / "again.wav").read_bytes() == (home / "here.wav").read_bytes()
    assert (counts(farm)["run"], messages(farm)) == (0, sent)

    edited = song.read_text(encoding="utf-8")
    place = edited.index("tone: ") + len("tone: ")
    tone = edited[place : place + 2]
    song.write_text(f"{edited[:place]}{int(tone) + 2}{edited[place + 2 :]}", encoding="utf-8")
    assert quincunx(farm, home, "render", song, "-o", "here.wav").returncode == 0
    told = quincunx(farm, home, "submit", song, "--watch", "-o", "edited.wav")
    assert told.returncode == 0, told.stderr
    assert (home / "edited.wav").read_bytes() == (home / "here.wav").read_bytes()
    assert 2 <= counts(farm)["run"] <= 10 < every
    print(json.dumps({"steps": every, "of the edit": counts(farm)["run"], "messages": sent}))
