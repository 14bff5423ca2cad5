"""Many songs in one process: what they share, and that one that is wrong does not stop the others."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.scenario.songs import SONG
from tests.scenario.terminal import Terminal


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    terminal = Terminal(tmp_path)
    terminal.write(SONG.ustx(), "a.ustx")
    terminal.write(SONG.with_phrase(2, SONG.phrases[2].moved(960)).ustx(), "b.ustx")
    return terminal


def test_songs_share_the_cache_and_are_told_in_one_document(terminal: Terminal) -> None:
    said = terminal.type("render", "a.ustx", "b.ustx", "--out-dir", "out", "--format", "flac", "--json")
    assert said.code == 0
    assert list(terminal.files()) == ["out/a.flac", "out/b.flac"]
    document = said.document
    assert (document["schema"], document["state"]) == (1, "succeeded")
    assert [one["song"] for one in document["renders"]] == ["a.ustx", "b.ustx"]
    assert [len(one["ran"]) for one in document["renders"]] == [20, 2], "a phrase that is moved is the same phrase"


def test_each_song_is_what_it_is_when_rendered_alone(terminal: Terminal) -> None:
    assert terminal.type("render", "a.ustx", "b.ustx", "--out-dir", "out").code == 0
    alone = Terminal(terminal.home / "alone")
    alone.home.mkdir()
    for name in ("a", "b"):
        alone.write((terminal.home / f"{name}.ustx").read_text(), f"{name}.ustx")
        alone.render(song=f"{name}.ustx", output=f"{name}.wav")
        assert (alone.home / f"{name}.wav").read_bytes() == (terminal.home / "out" / f"{name}.wav").read_bytes()


def test_a_song_that_is_wrong_is_named_and_the_others_are_rendered(terminal: Terminal) -> None:
    terminal.write(SONG.ustx().replace("duration: 480", "duration: -1", 1), "wrong.ustx")
    said = terminal.type("render", "wrong.ustx", "a.ustx", "no.ustx", "--out-dir", "out", "--json")
    assert said.code == 3
    assert list(terminal.files()) == ["out/a.wav"]
    assert "Error: wrong.ustx:17: voice_parts[0].notes[0].duration" in said.err
    assert "no.ustx" in said.err
    assert said.document["state"] == "partial"
    states = {one["song"]: one["state"] for one in said.document["renders"]}
    assert states == {"wrong.ustx": "failed", "a.ustx": "succeeded", "no.ustx": "failed"}
    assert said.document["renders"][0]["error"]["where"] == "wrong.ustx:17: voice_parts[0].notes[0].duration"


def test_songs_of_several_folders_are_told_with_their_folders(terminal: Terminal) -> None:
    (terminal.home / "sub").mkdir()
    terminal.write(SONG.ustx().replace("duration: 480", "duration: -1", 1), "sub/wrong.ustx")
    said = terminal.type("render", "sub/wrong.ustx", "sub/no.ustx", "--out-dir", "out")
    assert "Error: sub/wrong.ustx:17: voice_parts[0]" in said.err
    assert "Error: sub/no.ustx: cannot be read" in said.err


def test_where_every_song_is_wrong_the_code_is_that_of_one(terminal: Terminal) -> None:
    said = terminal.type("render", "x.ustx", "y.ustx", "--out-dir", "out", "--json")
    assert said.code == 2
    assert said.document["state"] == "failed"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("a.ustx", "b.ustx", "-o", "c.wav"), "--out-dir DIR instead of -o"),
        (("a.ustx", "b.ustx"), "--out-dir DIR"),
        (("a.ustx", "-o", "c.wav", "--out-dir", "out"), "give one of them"),
        (("a.ustx", "-o", "c.wav", "--format", "flac"), "--format goes with --out-dir"),
        (("a.ustx", "sub/A.ustx", "--out-dir", "out"), "a.ustx and sub/A.ustx"),
        (("a.ustx", "a.ustx", "--out-dir", "out"), "a.ustx: this song is named twice"),
        (("a.ustx", "b.ustx", "--out-dir", "a.ustx"), "this is a file, not a folder"),
        (("a.ustx", "b.ustx", "--out-dir", "out", "--stems", "a.ustx"), "this is a file, not a folder"),
        (("x.ustx", "y.ustx", "--out-dir", "out"), "cannot be read"),
        (("a.ustx", "b.ustx", "--out-dir", "out", "--format", "flac", "--bits", "float"), "--bits 24"),
        (("a.ustx", "b.ustx", "--out-dir", "out", "--keep", "2"), "leave out --takes, --seed and other songs"),
    ],
)
def test_contradictions_are_refused_before_anything_runs(
    terminal: Terminal, arguments: tuple[str, ...], told: str
) -> None:
    said = terminal.type("render", *arguments)
    assert said.code == 2
    assert told in said.err
    assert list(terminal.files()) == []
    assert not (terminal.home / "out").exists()


def test_a_dry_run_of_many_writes_nothing(terminal: Terminal) -> None:
    said = terminal.type("render", "a.ustx", "b.ustx", "--dry-run", "--json")
    assert [one["steps_to_run"] for one in said.document["renders"]] == [20, 20]
    assert list(terminal.files()) == []


def test_takes_and_stems_of_many_songs_have_folders_of_their_own(terminal: Terminal) -> None:
    said = terminal.type("render", "a.ustx", "b.ustx", "--out-dir", "out", "--takes", "2", "--stems", "stems")
    assert said.code == 0
    assert sorted(said.out.split("\n")[:-1]) == sorted(terminal.files())
    assert "stems/b.take2/01 Lead.wav" in terminal.files()
    assert len(list(terminal.files())) == 8
