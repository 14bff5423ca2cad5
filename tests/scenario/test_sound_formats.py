"""What a person can ask of the file: sample format, sample rate, level; and voices of several rates in one song."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tests.scenario.songs import SONG
from tests.scenario.terminal import Terminal
from tests.unit.tiny_bank import DEMO

from quincunx_workers.limiter import true_peak
from quincunx_workers.loudness import integrated_loudness


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    terminal = Terminal(tmp_path)
    terminal.write(SONG.ustx())
    return terminal


@pytest.mark.parametrize(
    ("name", "bits", "subtype"),
    [
        ("a.wav", "16", "PCM_16"),
        ("a.wav", "24", "PCM_24"),
        ("a.wav", "float", "FLOAT"),
        ("a.flac", "16", "PCM_16"),
        ("a.FLAC", "24", "PCM_24"),
    ],
)
def test_the_file_holds_the_samples_that_were_asked_for(terminal: Terminal, name: str, bits: str, subtype: str) -> None:
    terminal.render("--bits", bits, output=name)
    assert soundfile.info(terminal.home / name).subtype == subtype


def test_another_rate_runs_the_master_alone_and_lasts_exactly_as_long(terminal: Terminal) -> None:
    terminal.render("--bits", "float")
    said = terminal.render("--bits", "float", "--rate", "48000", output="b.wav")
    assert said.ran == [("song", "master")]
    count = terminal.sound().shape[1]
    assert soundfile.info(terminal.home / "b.wav").samplerate == 48000
    assert abs(terminal.sound("b.wav").shape[1] - count * 48000 / 44100) <= 0.5


def test_the_loudness_and_the_true_peak_are_those_asked_for(terminal: Terminal) -> None:
    told = terminal.render("--loudness", "-11", "--true-peak", "-3", "--bits", "float").document
    audio = terminal.sound()
    assert 20 * np.log10(true_peak(audio)) <= -2.98
    assert integrated_loudness(audio, 44100) == pytest.approx(told["loudness_lufs"], abs=0.02)
    assert told["loudness_lufs"] == pytest.approx(-11, abs=0.5)


def test_loudness_off_leaves_the_level_as_it_was_mixed(terminal: Terminal) -> None:
    terminal.render("--loudness", "off", "--bits", "float")
    as_mixed = terminal.sound()
    told = terminal.render("--loudness", "-20", "--bits", "float", output="b.wav").document
    change = told["loudness_lufs"] - float(integrated_loudness(as_mixed, 44100) or 0)
    np.testing.assert_allclose(terminal.sound("b.wav"), as_mixed * 10 ** (change / 20), atol=1e-4)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("-o", "a.flac", "--bits", "float"), "--bits 24"),
        (("-o", "a.wav", "--bits", "32"), "'16', '24', 'float'"),
        (("-o", "a.wav", "--rate", "7999"), "8000<=x<=192000"),
        (("-o", "a.wav", "--loudness", "nan"), "neither `off` nor a number from -40 to -5"),
        (("-o", "a.wav", "--true-peak", "1"), "neither `off` nor a number from -20 to 0"),
        (("-o", "a"), ".wav or .flac"),
    ],
)
def test_what_contradicts_itself_is_refused_before_anything_runs(
    terminal: Terminal, arguments: tuple[str, ...], told: str
) -> None:
    said = terminal.type("render", "song.ustx", *arguments)
    assert said.code == 2
    assert told in said.err
    assert list(terminal.files()) == []
    assert not (terminal.home / "cache").exists()


def bank_at(terminal: Terminal, rate: int) -> str:
    """The demo bank as if it sang at another rate: its hop and its fmax are then other moments and pitches."""
    root = terminal.home / "bank"
    shutil.copytree(DEMO, root)
    for settings in (root / "dsconfig.yaml", root / "dsvocoder" / "vocoder.yaml"):
        settings.write_text(settings.read_text().replace("sample_rate: 44100", f"sample_rate: {rate}"))
    return str(root)


def test_voices_of_several_rates_meet_at_the_highest(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    bank_at(terminal, 48000)
    monkeypatch.setenv("QUINCUNX_VOICES", str(terminal.home))
    text = SONG.ustx()
    lead = "- {singer: demo, track_name: Lead, volume: 0, pan: 0}\n"
    two = text.replace(lead, lead + "- {singer: bank, track_name: Other, volume: 0, pan: 100}\n")
    part = two[two.index("- name: Part") : two.index("wave_parts")]
    terminal.write(text)
    terminal.render("--loudness", "off", "--bits", "float", output="alone.wav")
    terminal.write(two.replace(part, part + part.replace("track_no: 0", "track_no: 1")))
    said = terminal.render("--loudness", "off", "--bits", "float")
    assert soundfile.info(terminal.home / "song.wav").samplerate == 48000
    assert sorted(step for _, step in said.ran if step == "resample") == ["resample"] * 3
    assert [step for _, step in said.ran if step == "acoustic"] == ["acoustic"] * 3, "the demo voice sings as before"

    terminal.write(text)
    terminal.render("--loudness", "off", "--bits", "float", "--rate", "48000", output="alone48.wav")
    alone, both = terminal.sound("alone48.wav")[0], terminal.sound()[0]
    # The other voice is panned hard to the right: on the left there is the demo voice, where it was.
    # A phrase starts at a whole sample of the song, so it may lie half a sample off.
    assert np.std(both[: len(alone)] - alone) < 0.1 * np.std(alone)
    first = int(SONG.phrases[0].start / 480 * 0.5 * 48000)
    right = terminal.sound()[1]
    assert np.abs(right[first : first + 24000]).max() > 0.05


def test_a_song_of_one_tick_is_a_song(terminal: Terminal) -> None:
    one = replace(SONG, phrases=(replace(SONG.phrases[0], notes=(replace(SONG.phrases[0].notes[0], duration=1),)),))
    terminal.write(one.ustx())
    for arguments in (("--rate", "8000"), ("--range", "2:"), ("--stems", "s", "--phrases", "p")):
        told = terminal.render(*arguments).document
        assert 0 < told["audio_seconds"] < 5
        assert np.isfinite(terminal.sound()).all()


def test_a_song_that_is_turned_down_is_silence_in_every_file(terminal: Terminal) -> None:
    terminal.write(replace(SONG, volume=-30.0).ustx())
    for output in ("a.wav", "a.flac"):
        told = terminal.render("--stems", "s", "--bits", "24", "--rate", "48000", output=output).document
        assert (told["loudness_lufs"], told["true_peak_dbtp"]) == (None, None)
        assert not terminal.sound(output).any()
    assert "; silence" in terminal.type("render", "song.ustx", "-o", "song.wav").err
    assert not any(terminal.sound(name).any() for name in terminal.files() if name.startswith("s/"))
