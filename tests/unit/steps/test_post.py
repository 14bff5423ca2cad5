"""Dynamics and fades of one phrase."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from tests.unit.steps.stage import perform

from quincunx_shared.phrase import DrawnCurve, Timing
from quincunx_shared.tempo import TempoEvent
from quincunx_workers.steps.post import STEP

#: One second of notes at 60 bpm: tick 480 is second 1, and a tenth of a second of head in front.
TIMING = Timing((TempoEvent(0, 60.0),), (0,), (480,))
RATE, HOP, HEAD = 8000, 100, 8
HEAD_SAMPLES = HOP * HEAD


def posted(audio: npt.NDArray[np.float32], dyn: DrawnCurve | None = None, fade_ms: float = 0.0) -> Any:
    return perform(
        STEP,
        {"audio": audio, "timing": TIMING.to_payload(), "dyn": None if dyn is None else dyn.to_payload()},
        sample_rate=RATE,
        hop_size=HOP,
        head_frames=HEAD,
        fade_ms=fade_ms,
    )


def at(tick: int) -> int:
    return HEAD_SAMPLES + tick * RATE // 480


@pytest.fixture
def hum() -> npt.NDArray[np.float32]:
    """A wave of height 1 and mean 0, changing sign every sample; read-only, as inputs are."""
    wave = np.resize(np.array([1, -1], dtype=np.float32), HEAD_SAMPLES + RATE + 4 * HOP)
    wave.flags.writeable = False
    return wave


def test_without_dynamics_and_fades_nothing_changes(hum: npt.NDArray[np.float32]) -> None:
    assert posted(hum).tobytes() == hum.tobytes()
    assert posted(hum, DrawnCurve()).tobytes() == hum.tobytes()


def test_dynamics_are_tenths_of_a_decibel(hum: npt.NDArray[np.float32]) -> None:
    gain = np.abs(posted(hum, DrawnCurve((0, 480), (-60.0, -60.0))))
    np.testing.assert_allclose(gain[at(5) : at(475)], 10 ** (-6 / 20), rtol=1e-6)


def test_the_lowest_dynamics_are_silence(hum: npt.NDArray[np.float32]) -> None:
    sound = posted(hum, DrawnCurve((120, 360), (-240.0, -240.0)))
    assert not sound[at(120) : at(360)].any()
    np.testing.assert_array_equal(np.abs(sound[: at(115)]), 1)
    np.testing.assert_array_equal(np.abs(sound[at(366) :]), 1)


def test_a_drawn_line_is_straight_in_decibels(hum: npt.NDArray[np.float32]) -> None:
    gain = np.abs(posted(hum, DrawnCurve((0, 480), (0.0, 120.0))))
    for tick in (120, 240, 360):
        assert 20 * np.log10(gain[at(tick)]) == pytest.approx(12 * tick / 480, abs=1e-3)


def test_both_ends_fade_from_and_to_zero(hum: npt.NDArray[np.float32]) -> None:
    sound = np.abs(posted(hum, fade_ms=5.0))
    assert sound[0] == sound[-1] == 0
    assert (np.diff(sound[:40]) > 0).all()
    assert (np.diff(sound[-40:]) < 0).all()
    np.testing.assert_array_equal(sound[40:-40], 1)


def test_a_phrase_shorter_than_its_fades_still_starts_and_ends_at_zero() -> None:
    sound = posted(np.array([1, -1, 1, -1, 1, -1], dtype=np.float32), fade_ms=100.0)
    assert sound[0] == sound[-1] == 0


def test_an_offset_is_taken_off_and_silence_stays_silence(hum: npt.NDArray[np.float32]) -> None:
    assert abs(float(posted(hum + np.float32(0.1)).mean())) < 1e-6
    assert not posted(np.zeros(1000, dtype=np.float32)).any()


def test_nothing_stays_nothing() -> None:
    assert posted(np.zeros(0, dtype=np.float32), fade_ms=5.0).shape == (0,)
