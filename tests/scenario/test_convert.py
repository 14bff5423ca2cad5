"""`quincunx convert` as a person uses it: other formats, losses said aloud, nothing replaced unasked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.scenario.songs import SONG
from tests.scenario.terminal import Terminal
from tests.unit.tiny_song import note, part, song_text

from quincunx_orchestrator.score.readers import read_score


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    (tmp_path / "song.ustx").write_text(SONG.ustx(), encoding="utf-8")
    return Terminal(tmp_path)


def test_a_converted_project_renders_without_a_step(terminal: Terminal) -> None:
    first = terminal.render()
    assert len(first.ran) > 0
    sound = (terminal.home / "song.wav").read_bytes()
    assert terminal.type("convert", "song.ustx", "-o", "copy.ustx").code == 0
    assert terminal.render(song="copy.ustx").ran == []
    assert (terminal.home / "song.wav").read_bytes() == sound


def test_what_is_lost_is_said_a_line_each_and_the_file_named(terminal: Terminal) -> None:
    said = terminal.type("convert", "song.ustx", "-o", "song.mid")
    assert said.code == 0
    assert said.out == "song.mid\n"
    assert "Note: left out: 1 singer." in said.err.splitlines()
    song = read_score("song.mid", (terminal.home / "song.mid").read_bytes())
    assert sum(len(one.notes) for one in song.parts) == sum(len(one.notes) for one in SONG.phrases)
    document = json.loads(terminal.type("convert", "song.ustx", "-o", "song.mid", "--force", "--json").out)
    assert document["outputs"] == ["song.mid"]
    assert "left out: 1 singer" in document["losses"]


def test_a_format_of_one_track_gives_a_file_a_track(terminal: Terminal) -> None:
    tracks = [{"track_name": "A"}, {"track_name": "silent"}, {"track_name": "B"}]
    parts = [part([note(lyric="la")]), part([note(480, lyric="lo")], track_no=2)]
    (terminal.home / "two.ustx").write_text(song_text(*parts, tracks=tracks), encoding="utf-8")
    said = terminal.type("convert", "two.ustx", "-o", "two.ust")
    assert said.out == "two-1.ust\ntwo-3.ust\n"
    lyrics = [
        read_score(name, (terminal.home / name).read_bytes()).parts[0].notes[0].lyric.text for name in said.out.split()
    ]
    assert lyrics == ["la", "lo"]


@pytest.mark.parametrize(
    ("song", "output", "told"),
    [
        ("song.ustx", "there.mid", "--force"),
        ("song.ustx", "song.xyz", "known: .kar, .mid, .midi, .musicxml, .ust, .ustx, .xml"),
        ("song.ustx", "song.mxl", "known:"),
        ("song.ustx", "song.ds", "quincunx transcribe"),
        ("song.ustx", "nowhere/song.mid", "mkdir"),
        ("none.ustx", "song.mid", "none.ustx"),
        ("broken.ustx", "song.mid", "broken.ustx"),
    ],
)
def test_what_cannot_be_converted_is_refused(terminal: Terminal, song: str, output: str, told: str) -> None:
    (terminal.home / "there.mid").write_bytes(b"mine")
    (terminal.home / "broken.ustx").write_text("tracks: [", encoding="utf-8")
    before = sorted(terminal.home.iterdir())
    said = terminal.type("convert", song, "-o", output)
    assert said.code == 2
    assert told in said.err
    assert sorted(terminal.home.iterdir()) == before
    assert (terminal.home / "there.mid").read_bytes() == b"mine"
