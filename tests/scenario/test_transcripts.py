"""A .ds file through the front door: what it sounds like, and what runs after an edit."""

from __future__ import annotations

import copy
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from tests.demo_voice.ears import cents, pitch_of
from tests.scenario import transcripts
from tests.scenario.reference_loop import render_ds
from tests.scenario.terminal import Terminal
from tests.scenario.transcripts import Members, segment, written
from tests.unit.tiny_bank import DEMO

DONE = [("song", "join"), ("song", "master")]


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


def samples(path: Path) -> npt.NDArray[np.int16]:
    """The samples of a mono file of 16 bits."""
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 44100)
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")


def sing(terminal: Terminal, segments: list[Members] | Members, *arguments: str) -> dict[str, Any]:
    """Render segments to song.wav and return the summary."""
    written(terminal.home / "song.ds", segments)
    said = terminal.type("render", "song.ds", "-o", "song.wav", "--json", *arguments)
    assert said.code == 0, said.err
    return said.document


def ran(terminal: Terminal, segments: list[Members], *arguments: str) -> list[tuple[str, str]]:
    """Render, and return what ran; all segments but the song are called `segment`."""
    rows = sing(terminal, segments, *arguments)["ran"]
    return [("song" if name == "song" else "segment", step) for name, step, _ in rows]


def test_the_sound_is_that_of_a_plain_loop_to_one_step_of_16_bits(terminal: Terminal) -> None:
    sing(terminal, transcripts.song())
    expected = render_ds(terminal.home / "song.ds", DEMO)
    heard = samples(terminal.home / "song.wav")
    assert len(heard) == len(expected)
    assert np.abs(heard.astype(int) - expected).max() <= 1
    assert np.abs(expected).max() > 3000


@settings(max_examples=5)
@given(transcripts.songs())
def test_any_song_sounds_as_in_a_plain_loop(warm: Terminal, song: list[Members]) -> None:
    said = warm.type("render", str(written(warm.home / "any.ds", song)), "-o", "any.wav")
    assert said.code == 0, said.err
    difference = samples(warm.home / "any.wav").astype(int) - render_ds(warm.home / "any.ds", DEMO)
    assert np.abs(difference).max() <= 1


def test_a_file_of_one_segment_sounds_like_a_list_of_one(terminal: Terminal) -> None:
    one = segment(0.3, "SP en/aa SP", "0.1 0.4 0.1")
    sing(terminal, one)
    alone = samples(terminal.home / "song.wav")
    assert sing(terminal, [one])["steps_run"] == 0
    assert (samples(terminal.home / "song.wav") == alone).all()
    assert not alone[: round(0.3 * 44100)].any()


def test_a_second_render_runs_nothing(terminal: Terminal) -> None:
    sing(terminal, transcripts.song())
    assert sing(terminal, transcripts.song())["steps_run"] == 0


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    """A terminal whose cache knows the song. What tests add to it are other edits."""
    terminal = Terminal(tmp_path_factory.mktemp("warm"))
    sing(terminal, transcripts.song())
    return terminal


@contextmanager
def edited() -> Iterator[list[Members]]:
    yield copy.deepcopy(transcripts.song())


FROM_FRAMES = [("segment", "frames"), ("segment", "acoustic"), ("segment", "vocoder")]


def test_another_f0_runs_one_segment_from_its_frames(warm: Terminal) -> None:
    with edited() as song:
        song[1]["f0_seq"] = transcripts.curve(340, 350, 100)
        assert ran(warm, song) == FROM_FRAMES + DONE


def test_another_gender_runs_one_segment_from_its_frames(warm: Terminal) -> None:
    with edited() as song:
        song[3]["gender"] = 0.25
        assert ran(warm, song) == FROM_FRAMES + DONE


def test_an_f0_that_is_the_same_on_the_frames_stops_there(warm: Terminal) -> None:
    with edited() as song:
        song[3]["f0_seq"] += " 300" * 9
        ran(warm, song)
        song[3]["f0_seq"] += " 999"  # behind the end of the segment
        assert ran(warm, song) == FROM_FRAMES[:1]


def test_another_offset_runs_only_the_join(warm: Terminal) -> None:
    with edited() as song:
        song[2]["offset"] += 0.1
        assert ran(warm, song) == DONE


def test_another_seed_runs_the_models_of_one_segment(warm: Terminal) -> None:
    with edited() as song:
        song[0]["seed"] = 8
        assert set(ran(warm, song)) <= {*FROM_FRAMES, *DONE}
        assert sing(warm, song)["steps_run"] == 0


def test_other_words_run_nothing(warm: Terminal) -> None:
    with edited() as song:
        song[0]["text"] = "hello"
        assert ran(warm, song) == []


def test_a_loudness_that_is_asked_for_is_kept(warm: Terminal) -> None:
    told = sing(warm, transcripts.song(), "--loudness", "-20")
    assert told["loudness_lufs"] == pytest.approx(-20, abs=0.1)
    assert {step for _, step, _ in told["ran"]} == {"master"}


def test_what_openutau_adds_changes_nothing(terminal: Terminal) -> None:
    one = segment(0.0, "SP en/aa SP", "0.1 0.4 0.1")
    sing(terminal, [one])
    legacy = {"is_slur_seq": "0 0 0", "note_dur_seq": "0.1 0.4 0.1", "input_type": "phoneme"}
    nulls = dict.fromkeys(["gender", "energy", "spk_mix", "ph_num", "note_seq", "seed"])
    told = sing(terminal, [{**one, **legacy, **nulls, "singer": "someone"}])
    assert told["steps_run"] == 0
    assert "not read: 'singer'" in told["notices"]


def test_the_pitch_of_the_sound_is_the_written_one(terminal: Terminal) -> None:
    """Measured from the audio by an estimator that knows nothing of the voice."""
    sing(terminal, [segment(0.0, "SP en/aa ja/i en/ow SP", "0.2 0.8 0.8 0.8 0.2", 311.0)])
    measured, periodicity = pitch_of(samples(terminal.home / "song.wav") / 32767.0)
    drawn = np.array(transcripts.curve(311 * 0.97, 311 * 1.03, 561).split(), dtype=np.float64)
    moments = (np.arange(len(measured)) + 0.5) * 512 / 44100
    written_hertz = np.interp(moments - 0.5 * 512 / 44100, np.arange(561) * 0.005, drawn)
    vowels = (moments > 0.3) & (moments < 2.5)
    assert periodicity[vowels].min() > 0.9
    assert np.median(np.abs(cents(measured, written_hertz)[vowels])) < 5


def test_missing_durations_and_pitch_are_predicted_from_the_notes(terminal: Terminal) -> None:
    notes = {"ph_num": "2 2 1 1", "note_seq": "rest A4 B4 C5 rest", "note_dur": "0.2 0.4 0.3 0.3 0.2"}
    one = {"offset": 0.0, "ph_seq": "SP en/l en/aa en/n en/ow SP", "note_slur": "0 0 0 1 0", **notes}
    told = sing(terminal, [one])
    steps = {step for _, step, _ in told["ran"]}
    assert steps == {"words", "pitch", "frames", "acoustic", "vocoder", "join", "master"}
    heard = samples(terminal.home / "song.wav") / 32767
    assert len(heard) == pytest.approx(1.4 * 44100, abs=1024)
    assert frequency(heard, 0.35, 0.5) == pytest.approx(440, rel=0.02)
    assert frequency(heard, 0.7, 0.85) == pytest.approx(494, rel=0.02)
    assert frequency(heard, 1.0, 1.15) == pytest.approx(523, rel=0.02)
    assert np.abs(heard[: round(0.08 * 44100)]).max() < 0.01


def test_a_predicted_pitch_stays_on_its_note_before_a_rest(terminal: Terminal) -> None:
    notes = {"ph_num": "1 1 1 1 1", "note_seq": "rest A4 rest C5 rest", "note_dur": "0.2 0.4 0.3 0.4 0.2"}
    sing(terminal, [{"offset": 0.0, "ph_seq": "SP en/aa SP en/aa SP", **notes}])
    heard = samples(terminal.home / "song.wav") / 32767
    assert frequency(heard, 0.52, 0.6) == pytest.approx(440, rel=0.015)
    assert frequency(heard, 0.93, 1.0) == pytest.approx(523, rel=0.015)


def test_how_expressive_a_predicted_pitch_is_can_be_said(terminal: Terminal) -> None:
    """Vibrato of the bank's model, on a long note: none, then more and more."""
    notes = {"ph_num": "1 1 1", "note_seq": "rest A4 rest", "note_dur": "0.2 3 0.2", "ph_seq": "SP en/aa SP"}
    swings = []
    for expr in (0, "0 1", 1):
        sing(terminal, [{"offset": 0.0, "expr": expr, "expr_timestep": "3.4", **notes}])
        hertz, _ = pitch_of(samples(terminal.home / "song.wav") / 32767.0)
        swings.append(np.ptp(hertz[120:220]))
    assert swings[0] < 1 < swings[1] < swings[2]


def frequency(audio: npt.NDArray[np.float64], start: float, end: float) -> float:
    """The fundamental of a stretch, from the highest peak of its autocorrelation between 200 and 700 Hz."""
    piece = audio[round(start * 44100) : round(end * 44100)]
    spectrum = np.abs(np.fft.rfft(piece * np.hanning(len(piece)), 8 * len(piece))) ** 2
    correlation = np.fft.irfft(spectrum)
    lags = np.arange(44100 // 700, 44100 // 200)
    return 44100 / float(lags[np.argmax(correlation[lags])])


@pytest.mark.parametrize(
    ("phones", "name"),
    [("SP n i h ao q iu AP", "opencpop"), ("SP HH AH0 L OW1 SP", "ARPAbet"), ("SP hh ah0 l ow1 SP", "ARPAbet"),
     ("SP k o N n i ch i w a cl SP", "romaji"), ("SP h @ l oU dZ V SP", "X-SAMPA")],
)  # fmt: skip
def test_phonemes_of_other_sets_are_sung_by_the_demo_voice(terminal: Terminal, phones: str, name: str) -> None:
    seconds = " ".join(["0.12"] * len(phones.split()))
    told = sing(terminal, [segment(0.0, phones, seconds)])
    assert any(notice.startswith("1 segment is written in") and name in notice for notice in told["notices"])
    assert np.abs(samples(terminal.home / "song.wav").astype(int)).max() > 2000


def test_a_phoneme_that_nobody_knows_is_named_with_its_place(terminal: Terminal) -> None:
    song = [segment(0.0, "SP en/aa SP", "0.1 0.4 0.1"), segment(1.0, "SP ja/k ja/oo SP", "0.1 0.1 0.4 0.1")]
    written(terminal.home / "song.ds", song)
    said = terminal.type("render", "song.ds", "-o", "song.wav")
    assert said.code == 2
    assert "[1].ph_seq[2]" in said.err
    assert "'ja/oo'" in said.err
    assert "ja/o" in said.err
    assert not (terminal.home / "song.wav").exists()


def test_a_segment_inside_another_is_refused(terminal: Terminal) -> None:
    song = [segment(0.0, "SP en/aa SP", "0.1 2.4 0.1"), segment(0.5, "SP en/aa SP", "0.1 0.4 0.1")]
    written(terminal.home / "song.ds", song)
    said = terminal.type("render", "song.ds", "-o", "song.wav")
    assert said.code == 2
    assert "[1].offset" in said.err


def test_what_sounds_before_the_start_is_cut_aloud(terminal: Terminal) -> None:
    whole = segment(0.0, "SP en/aa SP", "0.1 0.4 0.1")
    sing(terminal, [whole])
    all_of_it = samples(terminal.home / "song.wav")
    told = sing(terminal, [{**whole, "offset": -0.05}])
    assert "what sounds before second 0 is cut" in told["notices"]
    assert (samples(terminal.home / "song.wav") == all_of_it[round(0.05 * 44100) :]).all()


def test_why_names_a_segment_by_its_time_and_text(terminal: Terminal) -> None:
    written(terminal.home / "song.ds", [segment(61.5, "SP en/aa SP", "0.1 0.4 0.1", text="ah")])
    said = terminal.type("why", "song.ds")
    assert "1:01.500 ah" in said.out
    assert "frames: never rendered before" in said.out


def test_tracks_cannot_be_chosen_where_there_are_none(terminal: Terminal) -> None:
    written(terminal.home / "song.ds", transcripts.song())
    said = terminal.type("render", "song.ds", "-o", "song.wav", "--voice-for", "1=demo")
    assert said.code == 2
    assert "--voice" in said.err


def test_a_broken_file_is_refused_with_its_place(terminal: Terminal) -> None:
    good = segment(0.0, "SP en/aa SP", "0.1 0.4 0.1")
    written(terminal.home / "song.ds", [good, {**good, "offset": 1.0, "ph_dur": "0.1 -0.4 0.1"}])
    said = terminal.type("render", "song.ds", "-o", "song.wav")
    assert said.code == 2
    assert "song.ds: [1].ph_dur[1]" in said.err
