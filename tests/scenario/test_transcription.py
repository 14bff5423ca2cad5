"""A score, sung, written as a transcript, and sung again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from tests.scenario.desk import Desk, open_desk
from tests.scenario.songs import SONG
from tests.scenario.terminal import Terminal
from tests.scenario.transcripts import segment, written
from tests.unit.tiny_song import note, part, song_text

from quincunx_orchestrator.score.ds import read_ds
from quincunx_orchestrator.score.ds_writer import write_ds
from quincunx_orchestrator.score.transcript import Transcript
from quincunx_orchestrator.song.transcription import seconds_of, transcribe, transcribed_ports
from quincunx_shared.frames import frames_of_seconds
from quincunx_shared.names import Address, PortKey


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with open_desk(tmp_path_factory.mktemp("cache")) as opened:
        yield opened


def transcript_of(desk: Desk, text: str) -> Transcript:
    song = desk.assemble(text)
    return transcribe(song, desk.studio.render(song, transcribed_ports(song)).payloads)[0]


def test_the_phrases_of_a_transcript_sound_as_those_of_its_score(desk: Desk) -> None:
    text = SONG.with_curve("genc", (0, 40), (9600, -70)).with_curve("velc", (0, 60), (9600, 140)).ustx()
    again = read_ds(write_ds(transcript_of(desk, text)), "song.ds")
    vocoder = PortKey("vocoder", "audio")
    sounds = []
    for song in (desk.assemble(text), desk.studio.assemble(again, voice="demo")):
        targets = [Address(one.segment.id, vocoder) for one in song.placed]
        payloads = desk.studio.render(song, targets).payloads
        sounds.append({one.start_sample: payloads[target] for one, target in zip(song.placed, targets, strict=True)})
    score, transcript = sounds
    assert score.keys() == transcript.keys()
    for start in score:
        np.testing.assert_allclose(transcript[start], score[start], atol=1e-5)


def test_a_transcript_is_made_without_singing(tmp_path: Path) -> None:
    with open_desk(tmp_path) as fresh:
        song = fresh.assemble(SONG.ustx())
        ran = {step for _, step in fresh.studio.render(song, transcribed_ports(song)).ran}
    assert ran == {"phonemize", "duration", "pitch"}


def test_what_a_transcript_cannot_hold_is_said(desk: Desk) -> None:
    loud = transcript_of(desk, SONG.with_curve("dyn", (0, 0), (9600, -50)).with_curve("brec", (0, 9), (960, 50)).ustx())
    assert any("DYN" in loss for loss in loud.notices)
    assert any("breathiness" in loss for loss in loud.notices)
    assert not any("DYN" in loss for loss in transcript_of(desk, SONG.ustx()).notices)


@given(st.lists(st.integers(0, 400), min_size=1, max_size=200), st.sampled_from([512 / 44100, 256 / 48000]))
def test_written_durations_become_the_same_frames(frames: list[int], timestep: float) -> None:
    assert frames_of_seconds(seconds_of(np.array(frames), timestep), timestep).tolist() == frames


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    (tmp_path / "song.ustx").write_text(SONG.ustx(), encoding="utf-8")
    return Terminal(tmp_path)


def test_the_command_writes_a_file_that_sings(terminal: Terminal) -> None:
    said = terminal.type("transcribe", "song.ustx", "-o", "song.ds")
    assert said.code == 0
    assert said.out == "song.ds\n"
    assert "volume, pan and mastering" in said.err
    sung = terminal.render(song="song.ds")
    assert [step for _, step in sung.ran].count("vocoder") == 3


def test_a_word_that_cannot_be_sung_is_told_by_its_place(terminal: Terminal) -> None:
    wrong = SONG.with_phrase(1, SONG.phrases[1].with_note(0, lyric='"?!"'))
    (terminal.home / "song.ustx").write_text(wrong.ustx(), encoding="utf-8")
    said = terminal.type("transcribe", "song.ustx", "-o", "song.ds")
    assert said.code == 1
    assert "Lead 4:1" in said.err
    assert not (terminal.home / "song.ds").exists()


@pytest.mark.parametrize(
    ("song", "output", "told"), [("song.ustx", "song.txt", ".ds"), ("old.ds", "new.ds", "already")]
)
def test_what_cannot_be_transcribed_is_refused(terminal: Terminal, song: str, output: str, told: str) -> None:
    written(terminal.home / "old.ds", segment(0.0, "SP en/aa SP", "0.1 0.4 0.1"))
    said = terminal.type("transcribe", song, "-o", output)
    assert said.code == 2
    assert told in said.err
    assert not (terminal.home / output).exists()


def test_a_song_that_begins_at_once_loses_what_sounds_before_it(terminal: Terminal) -> None:
    early = SONG.with_phrase(0, SONG.phrases[0].moved(-4 * 480)).with_curve("genc", (0, 40), (9600, -70))
    (terminal.home / "song.ustx").write_text(early.ustx(), encoding="utf-8")
    assert terminal.type("transcribe", "song.ustx", "-o", "song.ds").code == 0
    (first, *_) = read_ds((terminal.home / "song.ds").read_bytes(), "song.ds").segments
    assert 0 <= first.offset < 512 / 44100
    # Both renders leave the level alone here, so that their sounds can be laid side by side.
    flags = ("--loudness", "off", "--true-peak", "off", "--bits", "float")
    heard = [loudness_of(terminal, song, *flags) for song in ("song.ustx", "song.ds")]
    count = min(map(len, heard))
    np.testing.assert_allclose(heard[0][:count], heard[1][:count], atol=2.0)


def loudness_of(terminal: Terminal, song: str, *flags: str) -> npt.NDArray[np.float64]:
    """Render, and return the level of every tenth of a second in dB, not below -50; channels at the centre add up."""
    terminal.render(*flags, song=song)
    audio = soundfile.read(terminal.home / "song.wav", always_2d=True)[0]
    power = (audio**2).sum(axis=1)
    blocks = power[: len(power) // 4410 * 4410].reshape(-1, 4410).mean(axis=1)
    return np.asarray(10 * np.log10(np.maximum(blocks, 1e-5)))


def test_each_track_becomes_a_file_of_its_own(terminal: Terminal) -> None:
    text = song_text(
        part([note(1920, lyric="two")]),
        part([note(3840, lyric="lights")], track_no=1),
        tracks=[{"singer": "demo", "track_name": name} for name in ("Lead", "Harmony")],
    )
    (terminal.home / "song.ustx").write_text(text, encoding="utf-8")
    said = terminal.type("transcribe", "song.ustx", "-o", "song.ds")
    assert said.code == 0, said.err
    assert said.out.split() == ["song-1.ds", "song-2.ds"]
    texts = [read_ds((terminal.home / name).read_bytes(), name).segments[0].text for name in said.out.split()]
    assert texts == ["two", "lights"]


def test_a_file_that_is_there_is_replaced_only_by_force(terminal: Terminal) -> None:
    (terminal.home / "song.ds").write_text("edited by hand", encoding="utf-8")
    assert terminal.type("transcribe", "song.ustx", "-o", "song.ds").code == 2
    assert (terminal.home / "song.ds").read_text(encoding="utf-8") == "edited by hand"
    assert terminal.type("transcribe", "song.ustx", "-o", "song.ds", "--force").code == 0
