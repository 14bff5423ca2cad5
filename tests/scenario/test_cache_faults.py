"""A cache under fire: killed renders, flipped bytes, two renders at once. Never a wrong sound, never an error."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.scenario.cache_faults import (
    Bench,
    flip,
    flip_often,
    kill_often,
    look_after,
    open_bench,
    render_together,
    unnoticed,
)
from tests.scenario.front_door import FrontDoor


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, front_door: FrontDoor) -> Bench:
    return open_bench(tmp_path_factory.mktemp("bench"), front_door)


def test_two_processes_that_render_a_song_at_once_share_the_work(bench: Bench) -> None:
    told = render_together(bench, "as it was", bench.home / "together")
    assert told.wrong == 0
    assert told.steps == bench.steps["as it was"]
    # Both plan before either has stored anything; what is then under way twice is at most a step a thread.
    assert told.twice <= 4, told


def test_renders_that_are_killed_leave_a_cache_on_which_the_next_is_right(bench: Bench) -> None:
    told = kill_often(bench, 2, random.Random(3))
    assert told.killed > 0
    assert (told.wrong_blobs, told.wrong_renders) == (0, 0)


def test_no_flipped_byte_in_a_cache_is_ever_heard_or_told_as_an_error(bench: Bench) -> None:
    told = flip_often(bench, 30, random.Random(5))
    assert told.flipped == 30
    assert told.in_databases > 0
    assert told.wrong_renders == 0


def test_every_spoilt_blob_is_named_by_verify(bench: Bench) -> None:
    assert unnoticed(bench, 3, random.Random(7)) == 0


def test_a_cache_may_be_emptied_and_repaired_while_others_render_on_it(bench: Bench) -> None:
    told = look_after(bench, 1)
    assert told.orders > 0
    assert (told.failed_orders, told.wrong_renders) == (0, 0)


@pytest.fixture
def read_only(bench: Bench) -> Iterator[Path]:
    """A cache that nobody may write into, with a blob in it that is wrong."""
    cache = bench.copy("read-only")
    largest = max((cache / "blobs").glob("??/*"), key=lambda path: path.stat().st_size)
    flip(largest, random.Random(0))
    folders = [cache, *(path for path in cache.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    yield cache
    for folder in folders:
        folder.chmod(0o755)


@pytest.mark.skipif(sys.platform == "win32", reason="rights are another matter there")
def test_a_cache_that_may_only_be_read_is_read_and_left_alone(bench: Bench, read_only: Path, tmp_path: Path) -> None:
    before = {path: path.lstat().st_mtime_ns for path in read_only.rglob("*")}
    words = ("render", bench.song("edited"), "-o", tmp_path / "out.wav", "--cache-dir", read_only, "--json")
    for _ in range(2):
        told = bench.door.quincunx(tmp_path, *words, humble=True)
        assert told.code == 0, told.err
        assert "can only be read: what is rendered now is not kept" in told.err
        assert (tmp_path / "out.wav").read_bytes() == bench.sounds["edited"]
        assert len(json.loads(told.out)["ran"]) < bench.steps["edited"] / 2, "what is there is not computed"
    assert {path: path.lstat().st_mtime_ns for path in read_only.rglob("*")} == before
    told = bench.door.quincunx(tmp_path, "cache", "gc", "--cache-dir", read_only, humble=True)
    assert told.code == 1
    assert "choose another --cache-dir" in told.err
