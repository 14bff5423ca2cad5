"""Tempo: both ways over every kind of segment, and what a phrase hears of it."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quincunx_shared.errors import BadInput
from quincunx_shared.tempo import TICKS_PER_QUARTER, TempoEvent, TempoMap

BPM = st.floats(min_value=20, max_value=400)


@st.composite
def tempo_maps(draw: st.DrawFn) -> TempoMap:
    """Draw a map of a song: one to six events from tick 0 on, some of them gliding, the last one constant."""
    ticks = [0, *sorted(draw(st.sets(st.integers(1, 20000), max_size=5)))]
    glides = [draw(st.none() | BPM) for _ in ticks[1:]]
    return TempoMap(tuple(TempoEvent(tick, draw(BPM), end) for tick, end in zip(ticks, [*glides, None], strict=True)))


def test_seconds_are_those_of_openutau() -> None:
    """The values of its own test: 120 bpm, 75 from tick 4800, 90 from 9600, 60 from 18000."""
    song = TempoMap((TempoEvent(0, 120), TempoEvent(4800, 75), TempoEvent(9600, 90), TempoEvent(18000, 60)))
    for tick, milliseconds in ((7200, 9000), (15960, 21833.3333), (24000, 37166.6667)):
        assert song.seconds_at(tick) * 1000 == pytest.approx(milliseconds, abs=1e-4)
        assert round(song.tick_at(milliseconds / 1000)) == tick


@given(BPM, BPM, st.integers(1, 20000), st.floats(0, 1))
def test_a_glide_follows_the_formula(bpm: float, end_bpm: float, length: int, part: float) -> None:
    song = TempoMap((TempoEvent(0, bpm, end_bpm), TempoEvent(length, end_bpm)))
    tick, slope = part * length, (end_bpm - bpm) / length
    expected = tick / TICKS_PER_QUARTER / bpm * 60
    if abs(end_bpm - bpm) > 1e-3:
        expected = 60 / (TICKS_PER_QUARTER * slope) * math.log((bpm + slope * tick) / bpm)
    assert song.seconds_at(tick) == pytest.approx(expected, rel=1e-5, abs=1e-9)


@given(BPM, st.floats(1e-15, 1e-6))
def test_a_glide_of_almost_nothing_is_a_constant_tempo(bpm: float, little: float) -> None:
    still = TempoMap((TempoEvent(0, bpm),))
    gliding = TempoMap((TempoEvent(0, bpm, bpm + little), TempoEvent(9600, bpm)))
    assert gliding.seconds_at(9600) == pytest.approx(still.seconds_at(9600), rel=1e-7)


@given(tempo_maps(), st.floats(-2000, 40000))
def test_a_tick_comes_back_from_its_second(song: TempoMap, tick: float) -> None:
    assert song.tick_at(song.seconds_at(tick)) == pytest.approx(tick, rel=1e-9, abs=1e-6)


@given(tempo_maps(), st.lists(st.integers(-2000, 40000), min_size=2, max_size=20, unique=True))
def test_later_ticks_have_later_seconds(song: TempoMap, ticks: list[int]) -> None:
    seconds = [song.seconds_at(tick) for tick in sorted(ticks)]
    assert all(before < after for before, after in pairwise(seconds))


@given(tempo_maps(), st.lists(st.floats(-2000, 40000), max_size=20))
def test_arrays_have_the_values_of_their_elements(song: TempoMap, ticks: list[float]) -> None:
    seconds = [song.seconds_at(tick) for tick in ticks]
    np.testing.assert_allclose(song.seconds_at_ticks(ticks), seconds, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(song.ticks_at_seconds(seconds), [song.tick_at(one) for one in seconds], atol=1e-8)


@given(tempo_maps(), st.integers(0, 30000), st.integers(-2000, 40000))
def test_another_origin_only_moves_second_zero(song: TempoMap, origin: int, tick: int) -> None:
    moved = TempoMap(song.events, origin_tick=origin)
    assert moved.seconds_at(origin) == 0
    assert moved.tick_at(0) == origin
    assert moved.seconds_at(tick) == pytest.approx(song.seconds_at(tick) - song.seconds_at(origin), abs=1e-9)


@given(tempo_maps(), st.integers(-1000, 30000), st.integers(1, 9000), st.data())
def test_a_window_sounds_as_the_song_does_there(song: TempoMap, start: int, length: int, data: st.DataObject) -> None:
    origin = data.draw(st.integers(start, start + length))
    inside = TempoMap(song.around(start, start + length, origin))
    for tick in (start, start + length // 3, start + length):
        expected = song.seconds_at(tick) - song.seconds_at(origin)
        assert inside.seconds_at(tick - origin) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(BPM, st.integers(0, 10**9), st.integers(0, 10**9))
def test_a_window_moved_under_one_tempo_keeps_its_events(bpm: float, here: int, there: int) -> None:
    song = TempoMap((TempoEvent(0, bpm),))
    assert song.around(here - 960, here + 500, here) == song.around(there - 960, there + 500, there)


@given(tempo_maps(), st.integers(0, 20000), st.integers(1, 5000))
def test_steps_outside_a_window_leave_no_mark(song: TempoMap, start: int, length: int) -> None:
    end = start + length
    before = tuple(TempoEvent(one.tick, one.bpm + 1) for one in song.events if one.tick < start)
    steps = tuple(TempoEvent(one.tick, one.bpm) for one in song.events if start < one.tick < end)
    after = tuple(TempoEvent(one.tick, one.bpm + 1) for one in song.events if one.tick >= end)

    bare = TempoMap((TempoEvent(0, 120), *((TempoEvent(start, 100),) if start else ()), *steps))
    crowded = TempoMap((*(before or (TempoEvent(0, 90),)), TempoEvent(start, 100), *steps, *after)) if start else bare
    assert crowded.around(start, end, start) == bare.around(start, end, start)


@given(tempo_maps(), st.integers(0, 20000), st.integers(1, 5000))
def test_a_window_of_a_window_is_the_window(song: TempoMap, start: int, length: int) -> None:
    inside = song.around(start, start + length, start)
    assert TempoMap(inside).around(0, length, 0) == inside


def test_whole_tempos_and_fractions_give_the_same_bytes() -> None:
    (event,) = TempoMap((TempoEvent(0, 120),)).around(0, 480, 0)
    assert isinstance(event.bpm, float)
    assert isinstance(event.tick, int)


@pytest.mark.parametrize("bpm", [0, -120, math.nan, math.inf])
def test_a_tempo_is_finite_and_above_zero(bpm: float) -> None:
    with pytest.raises(BadInput, match="beats a minute"):
        TempoMap((TempoEvent(0, bpm),))
    with pytest.raises(BadInput, match="beats a minute"):
        TempoMap((TempoEvent(0, 120, bpm), TempoEvent(480, 120)))


@pytest.mark.parametrize(
    ("events", "what"),
    [
        pytest.param((), "no tempo", id="none at all"),
        pytest.param((TempoEvent(1, 120),), "no tempo before tick 1", id="the first one late"),
        pytest.param((TempoEvent(0, 120), TempoEvent(0, 90)), "tick 0 comes after tick 0", id="two on one tick"),
        pytest.param((TempoEvent(0, 120), TempoEvent(-5, 90)), "tick -5 comes after tick 0", id="out of order"),
        pytest.param((TempoEvent(0, 120, 60),), "no event to end at", id="a glide without an end"),
    ],
)
def test_events_that_are_no_tempo_say_what_is_wrong(events: tuple[TempoEvent, ...], what: str) -> None:
    with pytest.raises(BadInput, match=what):
        TempoMap(events)
