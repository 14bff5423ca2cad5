"""The loudness meter against the standard's own tone and against pyloudnorm."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyloudnorm
import pytest

from quincunx_workers.loudness import integrated_loudness, k_weighting

Audio = npt.NDArray[np.float32]
SECONDS = 6


def tone(rate: int, hertz: float) -> Audio:
    wave = 0.2 * np.sin(2 * np.pi * hertz * np.arange(SECONDS * rate) / rate)
    return np.stack([wave, 0.5 * wave]).astype(np.float32)


def hiss(rate: int) -> Audio:
    return (0.1 * np.random.default_rng(1).standard_normal((2, SECONDS * rate))).astype(np.float32)


def bursts(rate: int) -> Audio:
    """Loud and soft and silent stretches, so that both gates have work."""
    levels: Audio = np.repeat(np.array([0.5, 0.02, 0.0, 0.3, 0.001, 0.1], dtype=np.float32), rate)
    return hiss(rate) * levels


def rumble(rate: int) -> Audio:
    return np.add(tone(rate, 40.0), 0.2, dtype=np.float32)


@pytest.mark.parametrize("rate", [22050, 44100, 48000, 96000])
@pytest.mark.parametrize(
    "signal", [lambda rate: tone(rate, 220.0), lambda rate: tone(rate, 4000.0), hiss, bursts, rumble]
)
def test_it_agrees_with_pyloudnorm(rate: int, signal: Callable[[int], Audio]) -> None:
    audio = signal(rate)
    oracle = pyloudnorm.Meter(rate, filter_class="DeMan").integrated_loudness(audio.T.astype(np.float64))
    assert integrated_loudness(audio, rate) == pytest.approx(oracle, abs=0.02)


def test_a_full_scale_tone_in_one_channel_reads_minus_3_01() -> None:
    audio = tone(48000, 997.0)[:1] * np.float32(5)
    assert integrated_loudness(audio, 48000) == pytest.approx(-3.01, abs=0.01)


def test_the_filter_is_the_one_printed_in_the_standard() -> None:
    shelf = ([1.53512485958697, -2.69169618940638, 1.19839281085285], [1.0, -1.69065929318241, 0.73248077421585])
    high_pass = ([1.0, -2.0, 1.0], [1.0, -1.99004745483398, 0.99007225036621])
    frequencies = np.array([20.0, 100.0, 1000.0, 5000.0, 20000.0])
    z = np.exp(2j * np.pi * frequencies / 48000)
    printed = np.prod([np.polyval(b, z) / np.polyval(a, z) for b, a in (shelf, high_pass)], axis=0)
    np.testing.assert_allclose(np.abs(k_weighting(48000, frequencies)), np.abs(printed), rtol=1e-5)


def test_silence_has_no_loudness() -> None:
    assert integrated_loudness(np.zeros((2, 44100), np.float32), 44100) is None
    assert integrated_loudness(np.zeros((2, 0), np.float32), 44100) is None


def test_a_short_sound_counts_as_one_window() -> None:
    audio = tone(44100, 1000.0)
    assert integrated_loudness(audio[:, :13000], 44100) == pytest.approx(integrated_loudness(audio, 44100), abs=0.1)
