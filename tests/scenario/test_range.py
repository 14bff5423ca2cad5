"""A range of a song: what is rendered for it, and that it is exactly that stretch of the whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.scenario.songs import SONG
from tests.scenario.terminal import Terminal

from quincunx_orchestrator.score.model import Score, TimeSignature
from quincunx_orchestrator.song.range import Window, parse_range, tick_of_bar, window_of
from quincunx_shared.errors import BadOption
from quincunx_shared.tempo import TempoEvent
from quincunx_workers.loudness import integrated_loudness

#: Nothing that depends on the whole: the range is then the bits of the whole.
AS_MIXED = ("--bits", "float", "--loudness", "off", "--true-peak", "off")


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    """120 bpm, 4/4: a bar lasts two seconds. Phrases begin in bars 2, 4 and 6, two notes each."""
    terminal = Terminal(tmp_path)
    terminal.write(SONG.ustx())
    return terminal


@pytest.mark.parametrize(
    ("wanted", "first", "last", "sung"),
    [
        ("4:6", 6.0, 10.0, 2),
        ("2:3", 2.0, 4.0, 1),
        ("6:", 10.0, None, 1),
        (":2.5s", 0.0, 2.5, 1),
        ("2.25s:6.125s", 2.25, 6.125, 2),
        ("6:8", 10.0, 14.0, 1),
        ("1:", 0.0, None, 3),
    ],
)
def test_a_range_is_that_stretch_of_the_whole_and_sings_only_what_sounds_in_it(
    terminal: Terminal, wanted: str, first: float, last: float | None, sung: int
) -> None:
    ran = terminal.render(*AS_MIXED, "--range", wanted, output="range.wav").ran
    assert len([step for _, step in ran if step == "vocoder"]) == sung
    again = [step for _, step in terminal.render(*AS_MIXED).ran]
    assert again.count("vocoder") == 3 - sung, "what the range has sung is recalled"
    whole, part = terminal.sound(), terminal.sound("range.wav")
    start, end = round(first * 44100), whole.shape[1] if last is None else round(last * 44100)
    assert part.shape == (2, end - start)
    silent = max(0, end - whole.shape[1])
    expected = np.pad(whole[:, start : min(end, whole.shape[1])], ((0, 0), (0, silent)))
    assert part.tobytes() == np.ascontiguousarray(expected).tobytes()


@pytest.mark.parametrize("wanted", ["4:5", "5.5s:6.5s", "6:", ":5s"])
def test_in_a_room_a_range_hears_what_is_in_the_air_from_before(terminal: Terminal, wanted: str) -> None:
    terminal.render(*AS_MIXED, "--reverb", "0.5", "--range", wanted, output="range.wav")
    terminal.render(*AS_MIXED, "--reverb", "0.5")
    whole, part = terminal.sound(), terminal.sound("range.wav")
    start = {"4:5": 6.0, "5.5s:6.5s": 5.5, "6:": 10.0, ":5s": 0.0}[wanted]
    first = round(start * 44100)
    seconds = {"4:5": 2, "5.5s:6.5s": 1, ":5s": 5}.get(wanted)
    assert part.shape[1] == (whole.shape[1] - first if seconds is None else seconds * 44100)
    np.testing.assert_allclose(part, whole[:, first : first + part.shape[1]], atol=1e-6)


def test_the_loudness_is_that_of_the_range(terminal: Terminal) -> None:
    told = terminal.render("--range", "4:6", "--bits", "float").document
    assert told["loudness_lufs"] == pytest.approx(-16, abs=0.2)
    assert integrated_loudness(terminal.sound(), 44100) == pytest.approx(-16, abs=0.2)


def test_stems_and_phrases_of_a_range_are_of_the_range(terminal: Terminal) -> None:
    terminal.render(*AS_MIXED, "--range", "4:6", "--stems", "stems", "--phrases", "phrases")
    stem = next(name for name in terminal.files() if name.startswith("stems/"))
    np.testing.assert_allclose(terminal.sound(stem), terminal.sound(), atol=1e-6)
    # The third begins in bar 6, and what comes before its first note sounds in bar 5.
    assert [name[:11] for name in terminal.files() if name.startswith("phrases/0")] == ["phrases/002", "phrases/003"]


def test_a_range_leaves_the_memory_of_the_whole_song_alone(terminal: Terminal) -> None:
    terminal.render()
    terminal.render("--range", "4:6", output="range.wav")
    terminal.write(SONG.ustx().replace("lyric: は", "lyric: ら"))
    reasons = {step: why for _, step, why in terminal.render().document["ran"]}
    assert reasons["phonemize"] == "input lyrics changed"
    assert reasons["mix"] == "input audio: 1 of 3 new or changed"


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ("9", "is no range"),
        (":", "is no range"),
        ("0:4", "bars are counted from 1"),
        ("4:4", "ends before it begins"),
        ("6:2", "ends before it begins"),
        ("x:4", "neither a bar nor seconds"),
        ("-1s:4", "neither a bar nor seconds"),
        ("1e3s:", "neither a bar nor seconds"),
        ("nans:4", "neither a bar nor seconds"),
        ("90:99", "the song ends after 11.2 s"),
        ("4:400", "ends long after the song"),
        ("8s:9.2s", "nothing is sung in 8s:9.2s"),
    ],
)
def test_a_range_that_cannot_be_is_refused_before_anything_runs(terminal: Terminal, wanted: str, told: str) -> None:
    said = terminal.type("render", "song.ustx", "-o", "song.wav", "--range", wanted)
    assert said.code == 2
    assert told in said.err
    assert list(terminal.files()) == []


METRES = (TimeSignature(0, 4, 4), TimeSignature(2, 3, 4), TimeSignature(5, 7, 8))


@pytest.mark.parametrize(("bar", "tick"), [(0, 0), (1, 1920), (2, 3840), (3, 5280), (5, 8160), (6, 9840), (9, 14880)])
def test_bars_are_counted_through_all_metres(bar: int, tick: int) -> None:
    assert tick_of_bar(METRES, bar) == tick


def test_bars_follow_the_tempo() -> None:
    score = Score("", (), (), (TempoEvent(0, 120.0), TempoEvent(3840, 60.0)), METRES)
    assert window_of(parse_range("3:4"), score, 1000, 60_000) == Window(4000, 3000)


@given(st.integers(0, 99), st.integers(1, 99), st.integers(-50, 150), st.integers(1, 80))
def test_a_phrase_sounds_if_one_of_its_samples_does(first: int, count: int, start: int, length: int) -> None:
    common = set(range(first, first + count)) & set(range(start, start + length))
    assert Window(first, count).sounds(start, start + length) == bool(common)


@given(st.text(max_size=12))
def test_whatever_is_typed_is_a_range_or_refused(text: str) -> None:
    try:
        wanted = parse_range(text)
    except BadOption:
        return
    assert wanted.start or wanted.end
