"""True peaks, and gains that hold them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from quincunx_workers.limiter import BLOCK, apply_gains, block_peaks, limiting_gains, true_peak

Audio = npt.NDArray[np.float32]


def quarter_tone(count: int = 44100) -> Audio:
    """A tone at a quarter of the sample rate whose samples all miss its crest by 3 dB."""
    wave = np.sin(np.pi / 2 * np.arange(count) + np.pi / 4) * np.hanning(count)
    return np.stack([wave, wave]).astype(np.float32)


def test_a_true_peak_lies_between_the_samples() -> None:
    audio = quarter_tone()
    assert float(np.abs(audio).max()) == pytest.approx(0.7071, abs=1e-3)
    assert true_peak(audio) == pytest.approx(1.0, abs=5e-3)


def test_cutting_the_song_into_stretches_changes_no_peak() -> None:
    audio = (0.2 * np.random.default_rng(0).standard_normal((2, 30_000))).astype(np.float32)
    dense = soxr.resample(audio.T, 1, 4, quality="VHQ")
    assert true_peak(audio) == pytest.approx(float(np.abs(dense).max()), rel=1e-3)


def test_silence_and_nothing_have_no_peak() -> None:
    assert true_peak(np.zeros((2, 5000), np.float32)) == 0
    assert true_peak(np.zeros((2, 0), np.float32)) == 0


def test_below_the_ceiling_nothing_is_touched() -> None:
    assert (limiting_gains(np.array([0.1, 0.5, 0.2], np.float32), 0.5) == 1).all()


@settings(max_examples=50)
@given(st.lists(st.floats(0, 4, width=32), min_size=1, max_size=200), st.floats(0.1, 1))
def test_every_peak_is_held_and_no_gain_exceeds_one(peaks: list[float], ceiling: float) -> None:
    heights = np.array(peaks, dtype=np.float32)
    gains = limiting_gains(heights, ceiling)
    assert gains.shape == (len(peaks) + 1,)
    assert (gains <= 1 + 1e-9).all()
    assert (heights * np.maximum(gains[:-1], gains[1:]) <= ceiling * (1 + 1e-9)).all()


def test_the_gain_moves_gently_and_only_near_the_peak() -> None:
    peaks = np.full(2000, 0.1, dtype=np.float32)
    peaks[1000] = 1.0
    gains = limiting_gains(peaks, 0.5)
    assert np.abs(np.diff(gains)).max() < 0.05
    np.testing.assert_allclose(gains[:960], 1)
    np.testing.assert_allclose(gains[1040:], 1)


def test_gains_stand_at_the_block_boundaries() -> None:
    ramp = apply_gains(np.ones((1, 2 * BLOCK + 3), np.float32), np.array([1.0, 0.5, 0.5, 0.5]))
    assert ramp[0, [0, BLOCK // 2, BLOCK, 2 * BLOCK + 2]].tolist() == [1.0, 0.75, 0.5, 0.5]


def test_far_from_the_ceiling_the_samples_speak_for_themselves() -> None:
    audio = quarter_tone()
    sparse = block_peaks(audio, near=10.0)
    assert float(sparse.max()) == pytest.approx(0.7071, abs=1e-3)
