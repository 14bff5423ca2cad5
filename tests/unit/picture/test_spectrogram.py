"""The spectrogram shows a tone where its frequency stands on the axis, when it sounds, and as loud as it is."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from quincunx_orchestrator.picture.spectrogram import SHOWN_DB, height_of, inked, spectrogram

ROWS = 160


def tone(hertz: float, rate: int, seconds: float = 1.0) -> npt.NDArray[np.float32]:
    return np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate).astype(np.float32)


@pytest.mark.parametrize("rate", [16_000, 44_100, 96_000])
@pytest.mark.parametrize("hertz", [110.0, 440.0, 1_000.0, 3_000.0, 7_500.0])
def test_a_tone_stands_at_its_frequency(rate: int, hertz: float) -> None:
    levels = spectrogram(tone(hertz, rate), rate, 0.0, 1.0, columns=40, rows=ROWS)
    loudest = levels[:, 10:30].argmax(axis=0) + 0.5
    assert np.abs(loudest / ROWS - height_of(hertz)).max() * ROWS <= 1.5


def test_a_sound_stands_at_its_time() -> None:
    samples = np.pad(tone(1_000, 44_100), 44_100)
    levels = spectrogram(samples, 44_100, 0.0, 3.0, columns=300, rows=ROWS).max(axis=0)
    heard = np.flatnonzero(levels > levels.max() - 20)
    assert abs(heard[0] - 100) <= 3
    assert abs(heard[-1] - 199) <= 3


def test_a_stretch_is_the_same_stretch_of_the_whole() -> None:
    samples = np.random.default_rng(1).normal(0, 0.1, 88_200).astype(np.float32)
    whole = spectrogram(samples, 44_100, 0.0, 2.0, columns=100, rows=ROWS)
    part = spectrogram(samples, 44_100, 0.5, 1.5, columns=50, rows=ROWS)
    assert np.allclose(part, whole[:, 25:75], atol=0.01)


def test_ten_times_the_amplitude_is_twenty_decibels() -> None:
    soft, loud = (
        spectrogram(gain * tone(440, 44_100), 44_100, 0.3, 0.7, columns=10, rows=ROWS).max() for gain in (0.1, 1.0)
    )
    assert loud - soft == pytest.approx(20.0, abs=0.1)


@pytest.mark.parametrize("seconds", [0.001, 0.02, 5.0])
def test_a_stretch_beyond_the_samples_is_silent(seconds: float) -> None:
    levels = spectrogram(tone(440, 44_100, seconds), 44_100, 0.0, 6.0, columns=60, rows=ROWS)
    assert levels.shape == (ROWS, 60)
    assert levels[:, -5:].max() < -100


def test_loud_is_dark_and_high_is_above() -> None:
    levels = np.full((ROWS, 4), -200.0, np.float32)
    levels[-1], levels[0] = 0.0, -SHOWN_DB / 2
    pixels = inked(levels, loudest_db=0.0).astype(int).sum(axis=2)
    assert (pixels[0] < pixels[-1]).all()
    assert (pixels[-1] < pixels[1]).all()
    assert (pixels[1:-1] > 740).all(), "silence is paper"
