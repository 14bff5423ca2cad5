"""A project of a .ds file through the front door: what can be edited in it, what runs, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.scenario import transcripts
from tests.scenario.terminal import Said, Terminal
from tests.scenario.test_transcripts import samples
from tests.scenario.transcripts import written

from quincunx_orchestrator.project.document import read_project, write_project


@pytest.fixture
def desk(tmp_path: Path) -> Terminal:
    terminal = Terminal(tmp_path)
    written(tmp_path / "song.ds", transcripts.song())
    done(terminal, "import", "song.ds", "-o", "p.qxp")
    return terminal


def done(desk: Terminal, *arguments: str) -> Said:
    said = desk.type(*arguments)
    assert said.code == 0, said.err
    return said


def test_a_project_sounds_as_its_file_and_its_edits_are_undone(desk: Terminal) -> None:
    desk.render(song="song.ds")
    before = samples(desk.home / "song.wav")
    assert desk.render(song="p.qxp").ran == []
    done(desk, "edit", "p.qxp", "offset 1 frames.f0 20", "scale 3 vocoder.audio 0.5")
    told = desk.render(song="p.qxp")
    assert [step for _, step in told.ran] == ["acoustic", "vocoder", "join", "master"]
    assert not (samples(desk.home / "song.wav") == before).all()
    done(desk, "undo", "p.qxp")
    assert desk.render(song="p.qxp").ran == []
    assert (samples(desk.home / "song.wav") == before).all()
    done(desk, "redo", "p.qxp")
    assert "offset 1 frames.f0 20" in done(desk, "log", "p.qxp", "--phrases").out


@pytest.mark.parametrize(
    ("operation", "why"),
    [
        ("lyric 1:2:1 la", "it holds phonemes and pitch, not notes"),
        ("tempo 1:1 100", "it holds phonemes and pitch, not notes"),
        ("voice 1 demo-low", "it holds phonemes and pitch, not notes"),
        ("offset 9 frames.f0 20", "there is no segment 9; there are 5"),
        ("offset nobody frames.f0 20", "there is no segment 'nobody'"),
        ("offset 1 pitch.f0 20", "there is no node 'pitch'"),
        ("offset SP frames.f0 20", "5 segments are called 'SP'"),
    ],
)
def test_what_does_not_fit_is_refused(desk: Terminal, operation: str, why: str) -> None:
    before = (desk.home / "p.qxp").read_bytes()
    told = desk.type("edit", "p.qxp", operation)
    assert (told.code, why in told.err) == (2, True), told.err
    assert (desk.home / "p.qxp").read_bytes() == before


def test_edits_follow_a_segment_into_a_newer_file_and_to_another_voice(desk: Terminal) -> None:
    done(desk, "edit", "p.qxp", "offset 2 frames.f0 20")
    newer = transcripts.song()
    newer[1]["velocity"] = "1.2"
    written(desk.home / "song.ds", newer[:3])
    assert "are those of" in done(desk, "import", "song.ds", "--update", "p.qxp").err
    phrases = done(desk, "log", "p.qxp", "--json").document["phrases"]
    assert [one["edits"] for one in phrases] == [0, 1, 0]
    assert desk.render("--voice", "demo-low", song="p.qxp").document["notices"] == []


def test_a_project_is_read_as_it_was_written_and_held_to_what_a_file_may_say(desk: Terminal) -> None:
    raw = (desk.home / "p.qxp").read_bytes()
    project = read_project(raw, "p.qxp")
    assert write_project(project) == raw
    broken = json.loads(raw)
    broken["score"]["segments"][2]["ph_dur"][1] = -1.0
    (desk.home / "p.qxp").write_text(json.dumps(broken), encoding="utf-8")
    told = desk.type("render", "p.qxp", "-o", "song.wav")
    assert (told.code, "p.qxp: score: [2].ph_dur" in told.err) == (2, True), told.err
    del broken["score"]["segments"][0]["ph_seq"]
    (desk.home / "p.qxp").write_text(json.dumps(broken), encoding="utf-8")
    assert "p.qxp: score.segments[0].ph_seq: Field required" in desk.type("log", "p.qxp").err


def test_songs_of_notes_and_files_of_segments_do_not_replace_each_other(desk: Terminal) -> None:
    from tests.scenario.songs import SONG

    desk.write(SONG.ustx())
    told = desk.type("import", "song.ustx", "--update", "p.qxp")
    assert (told.code, "cannot take each other's place" in told.err) == (2, True)
