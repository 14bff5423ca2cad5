"""`quincunx schedule`, on a real Redis: a song is stored now and submitted later."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis import Redis
from tests.farm.farm_shell import Shell, shell_of

import quincunx_orchestrator
from quincunx_orchestrator.farm.opening import open_farm
from quincunx_orchestrator.farm.redis_server import RedisServer
from quincunx_shared.farm.settings_layers import load_settings

DEMO = Path(quincunx_orchestrator.__file__).parent / "songs" / "demo.ustx"


@pytest.fixture
def shell(
    redis: Redis,  # noqa: ARG001 - empty
    redis_server: RedisServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Shell:
    key = tmp_path / "key"
    key.touch(mode=0o600)
    key.write_text("k" * 64)
    monkeypatch.setenv("QUINCUNX_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("QUINCUNX_FARM_REDIS_URL", redis_server.url)
    monkeypatch.setenv("QUINCUNX_FARM_STORE", (tmp_path / "blobs").as_uri())
    monkeypatch.setenv("QUINCUNX_FARM_ENVELOPE_KEY_FILE", str(key))
    monkeypatch.setenv("QUINCUNX_FARM_CACHE_DIR", str(tmp_path / "machine"))
    monkeypatch.setenv("QUINCUNX_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return shell_of(capsys)


def test_a_song_is_scheduled_listed_submitted_and_dropped(shell: Shell, redis: Redis) -> None:
    answer = shell("schedule", "add", DEMO, "30 3 * * *", "--name", "night", "--tag", "nightly")
    assert answer.code == 0, answer.err
    assert "night is rendered at" in answer.err
    told = shell("schedule", "add", DEMO, "30 3 * * *", "--name", "night", "--tag", "nightly", "--json").document
    assert (told["schema"], told["name"], told["next"][10:]) == (1, "night", "T03:30:00+00:00")
    (row,) = shell("schedule", "list", "--json").document["schedules"]
    assert (row["name"], row["when"], row["zone"], row["tags"]) == ("night", "30 3 * * *", "UTC", ["nightly"])
    assert "T03:30:00+00:00" in row["next"]
    assert "30 3 * * *  UTC   background  demo.ustx" in shell("schedule", "list").out
    redis.zadd("qx:schedules:due", {"night": 1.0})
    with open_farm(load_settings().settings) as farm:
        (render,) = farm.schedules().run_due()
        record = farm.jobs.get(render)
        assert record is not None
        assert farm.store.blobs.missing([record.order]) == set()
    (job,) = shell("jobs", "--json").document["jobs"]
    assert (job["render"], job["priority"], job["tags"]) == (render, "background", ["nightly"])
    assert shell("schedule", "remove", "night", "--json").document == {"schema": 1, "name": "night", "removed": True}
    assert shell("schedule", "list").err == "Nothing is scheduled.\n"


def test_what_cannot_be_scheduled_is_refused_before_anything_is_read(shell: Shell, redis: Redis) -> None:
    for when, zone, why in (
        ("whenever", "UTC", "is no time of a schedule"),
        ("2020-01-01", "UTC", "never comes"),
        ("30 3 * * *", "Mars/Olympus", "is no time zone known here"),
    ):
        answer = shell("schedule", "add", "no-such-song.ustx", when, "--zone", zone)
        assert answer.code == 2
        assert why in answer.err
        assert answer.out == ""
    assert redis.keys() == []


def test_a_schedule_that_is_not_there_cannot_be_dropped(shell: Shell) -> None:
    answer = shell("schedule", "remove", "night")
    assert answer.code == 5
    assert "there is no such schedule" in answer.err
