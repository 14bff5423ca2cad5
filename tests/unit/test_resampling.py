"""Another sample rate: the length is exact, and what sounds stays where it was."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.steps.stage import perform

from quincunx_workers.resampling import length_at, resampled
from quincunx_workers.steps.resample import STEP

RATES = st.sampled_from([8000, 11025, 16000, 22050, 44100, 48000, 96000, 192000])


@settings(max_examples=40)
@given(st.integers(0, 3000), RATES, RATES, st.booleans())
def test_the_length_is_exact(count: int, from_rate: int, to_rate: int, stereo: bool) -> None:
    audio = np.ones((2, count) if stereo else count, dtype=np.float32)
    out = resampled(audio, from_rate, to_rate)
    exact = count * to_rate / from_rate
    assert abs(out.shape[-1] - exact) <= 0.5
    assert out.shape[-1] == length_at(count, from_rate, to_rate)
    assert out.shape[:-1] == audio.shape[:-1]
    assert np.isfinite(out).all()


@pytest.mark.parametrize("rate", [22050, 48000, 96000])
def test_a_tone_keeps_its_pitch_level_and_place(rate: int) -> None:
    def burst(at_rate: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        seconds = np.arange(at_rate) / at_rate
        return np.sin(2 * np.pi * 1000 * seconds) * np.exp(-(((seconds - 0.5) / 0.1) ** 2))

    out = resampled(burst(44100).astype(np.float32), 44100, rate)
    np.testing.assert_allclose(out, burst(rate), atol=2e-5)


def test_a_phrase_is_brought_to_the_rate_of_its_song() -> None:
    out = perform(STEP, {"audio": np.zeros(441, np.float32)}, to_rate=48000)
    assert out.shape == (480,)
