"""The cache looked after by hand and by itself, through the command line; the oracle is what has to run again."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.scenario.songs import SONG
from tests.scenario.terminal import Terminal

from quincunx_shared.stores.leases import oldest_render, rendering

STEPS = 3 * 6 + 2


@pytest.fixture
def home(tmp_path: Path) -> Terminal:
    terminal = Terminal(tmp_path)
    terminal.write(SONG.ustx())
    return terminal


def blobs(home: Terminal) -> list[Path]:
    return [path for path in sorted((home.home / "cache" / "blobs").glob("??/*")) if path.is_file()]


def grow_old(home: Terminal, hours: float) -> None:
    """Let everything in the cache look as if it had been made and used so long ago."""
    import sqlite3

    past = time.time() - hours * 3600
    for path in blobs(home):
        os.utime(path, (past, past))
    owners = sqlite3.connect(next((home.home / "cache").glob("owners-*.sqlite")))
    with owners:
        owners.execute("UPDATE owner SET at = at - ?", (hours * 3600,))
    owners.close()


def stats(home: Terminal) -> dict[str, Any]:
    return home.type("cache", "stats", "--json").document


def test_what_is_kept_is_counted_for_every_song_and_voice(home: Terminal) -> None:
    home.render()
    home.write(SONG.ustx(), "copy.ustx")
    home.render("--voice", "demo-low", song="copy.ustx")
    told = stats(home)
    assert told["blob_bytes"] == sum(path.stat().st_size for path in blobs(home))
    assert {Path(name).name for name in told["songs"]} == {"song.ustx", "copy.ustx"}
    assert {room["results"] for room in told["songs"].values()} == {STEPS}
    assert set(told["voices"]) == {"demo", "demo-low"}
    assert told["steps"]["vocoder"]["results"] == 6
    assert set(told["steps"]) >= {"phonemize", "pitch", "acoustic", "post", "mix", "master"}
    shown = home.type("cache", "stats").out
    assert "song.ustx (20 results)" in shown
    assert "voice demo-low" in shown


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names of files are text")
def test_a_song_whose_name_is_no_text_is_kept_and_pinned_like_any_other(home: Terminal) -> None:
    name = os.fsdecode(b"s\xff.ustx")
    (home.home / name).write_text(SONG.ustx(), encoding="utf-8")
    said = home.type("render", name, "-o", "song.wav")
    assert said.code == 0, said.err
    assert home.type("cache", "pin", name).code == 0
    assert home.type("render", name, "-o", "song.wav", "--json").document["ran"] == []


def test_results_of_earlier_edits_belong_to_no_song_and_make_undo_free(home: Terminal) -> None:
    home.render()
    home.write(SONG.with_phrase(1, SONG.phrases[1].with_note(1, lyric="nights")).ustx())
    home.render()
    assert stats(home)["unowned_bytes"] > 0
    home.write(SONG.ustx())
    assert home.render().ran == []


def test_a_cache_that_is_too_large_loses_the_oldest_and_why_says_so(home: Terminal) -> None:
    home.render()
    grow_old(home, hours=48)
    other = replace(SONG, phrases=(SONG.phrases[0].with_note(1, lyric="nights"),))
    home.write(other.ustx(), "other.ustx")
    size = stats(home)["blob_bytes"]
    limit = size * 2 // 3
    home.render("--cache-size", str(limit), song="other.ustx")

    assert stats(home)["blob_bytes"] <= limit
    assert home.render("--cache-size", "off", song="other.ustx").ran == []
    why = home.type("why", "song.ustx").out
    assert "its result was evicted to stay below" in why
    assert "never rendered" not in why
    first = home.render("--cache-size", "off")
    assert 0 < len(first.ran) < STEPS
    assert home.render().ran == []


def test_a_pinned_song_stays(home: Terminal) -> None:
    home.render()
    assert home.type("cache", "pin", "song.ustx").code == 0
    grow_old(home, hours=48)
    home.type("cache", "gc", "--to", "1kB")
    assert [Path(name).name for name in stats(home)["pinned"]] == ["song.ustx"]
    assert home.render().ran == []
    home.type("cache", "unpin", "song.ustx")
    assert home.type("cache", "gc", "--to", "1kB", "--json").document["left_bytes"] == 0


def test_what_a_pinned_voice_sang_stays_and_the_rest_goes(home: Terminal) -> None:
    home.render()
    home.render("--voice", "demo-low")
    home.render()
    home.write(SONG.ustx(), "low.ustx")
    home.render("--voice", "demo-low", song="low.ustx")
    assert home.type("cache", "pin", "--voice", "demo-low").code == 0
    assert home.type("cache", "pin").out == "demo-low\n"
    grow_old(home, hours=48)
    home.type("cache", "gc", "--to", "1kB")
    assert {step for _, step in home.render("--voice", "demo-low", song="low.ustx").ran} <= {"mix", "master"}
    assert {step for _, step in home.render().ran} >= {"acoustic", "vocoder"}
    assert home.type("cache", "unpin", "--voice", "demo-low").code == 0
    assert home.type("cache", "pin").out == ""
    assert home.type("cache", "pin", "--voice", "demolow").code == 2
    assert home.type("cache", "pin", "song.ustx", "--voice", "demo").code == 2


def test_a_dry_run_removes_nothing_and_says_what_would_leave(home: Terminal) -> None:
    home.render()
    before = blobs(home)
    promised = home.type("cache", "gc", "--to", "1kB", "--dry-run", "--json").document
    assert blobs(home) == before
    assert promised["blobs"] == len(before)
    assert home.type("cache", "gc", "--to", "1kB", "--json").document == promised


def test_a_running_render_keeps_what_it_may_read_and_a_dead_one_nothing(home: Terminal) -> None:
    home.render()
    folder = home.home / "cache"
    with rendering(folder):
        assert home.type("cache", "gc", "--to", "1kB", "--json").document["blobs"] == 0
    lease = (
        "import os, sys, pathlib; from quincunx_shared.stores.leases import rendering;"
        "held = rendering(pathlib.Path(sys.argv[1])); held.__enter__(); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", lease, str(folder)], check=False)
    assert len(list((folder / "renders").iterdir())) == 1
    assert oldest_render(folder) == float("inf")
    assert home.type("cache", "gc", "--to", "1kB", "--json").document["left_bytes"] == 0


def test_verify_finds_every_damage_and_repair_heals_it(home: Terminal) -> None:
    home.render()
    assert home.type("cache", "verify").code == 0
    flipped, cut, emptied, gone, *_ = blobs(home)
    flipped.write_bytes(bytes([flipped.read_bytes()[0] ^ 1]) + flipped.read_bytes()[1:])
    cut.write_bytes(cut.read_bytes()[:-1])
    emptied.write_bytes(b"")
    gone.unlink()
    (flipped.parent / "notes.txt").write_text("mine")
    (home.home / "cache" / "blobs" / "stray").write_text("mine")

    said = home.type("cache", "verify", "--json")
    found = said.document
    assert said.code == 1
    assert set(found["corrupt"]) == {path.parent.name + path.name for path in (flipped, cut, emptied)}
    assert set(found["foreign"]) == {f"{flipped.parent.name}/notes.txt", "stray"}
    assert found["broken_results"] >= 4
    assert home.type("cache", "verify", "--repair").code == 0
    assert home.type("cache", "verify").code == 0
    before = home.sound()
    home.render()
    assert (home.sound() == before).all()


def test_orphans_go_when_they_are_old(home: Terminal) -> None:
    home.render()
    orphan = home.home / "cache" / "blobs" / "ab" / ("0" * 62)
    orphan.write_bytes(b"left by a crash")
    assert home.type("cache", "gc", "--json").document["blobs"] == 0
    os.utime(orphan, (1e9, 1e9))
    assert home.type("cache", "gc", "--json").document["blobs"] == 1
    assert not orphan.exists()
    assert home.render().ran == []


def test_purging_a_song_leaves_what_another_uses(home: Terminal) -> None:
    home.render()
    shorter = replace(SONG, phrases=SONG.phrases[:1])
    home.write(shorter.ustx(), "shorter.ustx")
    home.render(song="shorter.ustx")
    assert home.type("cache", "purge", "--song", "song.ustx").code == 0
    assert home.render(song="shorter.ustx").ran == []
    assert {step for _, step in home.render().ran} >= {"acoustic", "vocoder", "post", "mix", "master"}
    why = home.type("cache", "purge", "--song", "nobody.ustx")
    assert (why.code, "nothing in the cache belongs to it" in why.err) == (2, True)


def test_purging_a_voice_takes_the_mixes_it_is_in(home: Terminal) -> None:
    home.render()
    home.render("--voice", "demo-low")
    assert home.type("cache", "purge", "--voice", "demo-low").code == 0
    assert {step for _, step in home.render("--voice", "demo-low").ran} >= {"acoustic", "vocoder", "mix", "master"}
    missed = home.type("cache", "purge", "--voice", "demolow")
    assert (missed.code, "demo-low" in missed.err) == (2, True)


def test_a_range_and_a_later_take_leave_the_song_its_owner(home: Terminal) -> None:
    home.type("render", "song.ustx", "-o", "song.wav", "--takes", "2")
    home.render("--range", "4:6")
    assert home.type("cache", "purge", "--song", "song.ustx").code == 0
    assert stats(home)["blob_bytes"] < 10_000, "no sound is left that nobody owns"


def test_purging_a_voice_takes_what_it_sang_before_the_last_edit(home: Terminal) -> None:
    home.render()
    home.write(SONG.with_phrase(1, SONG.phrases[1].with_note(1, tone=70)).ustx())
    home.render()
    assert home.type("cache", "purge", "--voice", "demo").code == 0
    home.write(SONG.ustx())
    assert len(home.render().ran) == STEPS


def test_purging_everything_leaves_nothing(home: Terminal) -> None:
    home.render()
    assert home.type("cache", "purge", "--all").code == 0
    told = stats(home)
    assert (told["results"], told["blobs"]) == (0, 0)
    assert len(home.render().ran) == STEPS


@pytest.mark.parametrize("size", ["", "many", "-5GB", "nan", "1e9", "5 PB"])
def test_a_size_that_is_none_is_refused(home: Terminal, size: str) -> None:
    said = home.type("render", "song.ustx", "-o", "song.wav", "--cache-size", size)
    assert said.code == 2
    assert "such as 500MB" in said.err
