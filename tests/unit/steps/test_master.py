"""The master: loudness, peaks, file, report."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from tests.unit.steps.stage import perform

from quincunx_workers.limiter import true_peak
from quincunx_workers.loudness import integrated_loudness
from quincunx_workers.steps.master import STEP

Audio = npt.NDArray[np.float32]
RATE = 44100


def song(*, crest: float = 1.0) -> Audio:
    """Five seconds of a swelling chord; with `crest`, clicks stand out of it."""
    time = np.arange(5 * RATE) / RATE
    chord = sum(np.sin(2 * np.pi * hertz * time) for hertz in (220, 277.2, 329.6)) * (0.04 + 0.02 * np.sin(5 * time))
    chord[::RATE] *= 1 + 40 * (crest - 1)
    chord[RATE // 2 :: RATE // 2] = 0.15 * crest
    return np.stack([chord, 0.8 * chord]).astype(np.float32)


def mastered(audio: Audio, **options: Any) -> tuple[Audio, dict[str, Any]]:
    result = perform(STEP, {"audio": audio}, subtype="FLOAT", **options)
    samples, _ = soundfile.read(io.BytesIO(result["file"]), dtype="float32", always_2d=True)
    return np.ascontiguousarray(samples.T), result["report"]


def test_the_song_gets_its_loudness() -> None:
    out, report = mastered(song(), loudness_lufs=-20.0)
    assert integrated_loudness(out, RATE) == pytest.approx(-20, abs=0.1)
    assert report["loudness_lufs"] == pytest.approx(-20, abs=0.01)
    assert report["seconds"] == 5


def test_without_a_limit_the_song_is_only_scaled() -> None:
    audio = song()
    out, report = mastered(audio, loudness_lufs=-30.0)
    np.testing.assert_allclose(out, audio * 10 ** (report["gain_db"] / 20), atol=1e-5)


@pytest.mark.parametrize("ceiling", [-1.0, -3.0])
@pytest.mark.parametrize("loudness", [-14.0, -8.0])
def test_no_true_peak_passes_the_ceiling(ceiling: float, loudness: float) -> None:
    out, report = mastered(song(crest=2.0), loudness_lufs=loudness, true_peak_dbtp=ceiling)
    measured = 20 * np.log10(true_peak(out))
    assert measured <= ceiling + 0.02
    assert report["true_peak_dbtp"] == pytest.approx(measured, abs=0.05)
    assert report["loudness_lufs"] == pytest.approx(integrated_loudness(out, RATE), abs=0.01)


def test_far_from_the_peaks_the_limiter_leaves_the_song_alone() -> None:
    audio = song(crest=3.0)
    out, report = mastered(audio, loudness_lufs=-16.0)
    calm = slice(RATE // 8, RATE // 4)
    np.testing.assert_allclose(out[:, calm], audio[:, calm] * 10 ** (report["gain_db"] / 20), atol=1e-4)


def test_loudness_can_be_switched_off() -> None:
    audio = song()
    out, report = mastered(audio, loudness_lufs=0.0)
    assert report["gain_db"] == 0
    np.testing.assert_array_equal(out, audio)


def test_silence_stays_silence() -> None:
    out, report = mastered(np.zeros((2, 4410), np.float32))
    assert not out.any()
    silent = {"loudness_lufs": None, "true_peak_dbtp": None, "gain_db": 0.0, "seconds": 0.1, "clipped": 0}
    assert report == silent


def test_without_loudness_the_limiter_acts_only_on_what_passes_the_ceiling() -> None:
    out, report = mastered(song(crest=12.0), loudness_lufs=0.0)
    assert report["gain_db"] == 0
    assert 20 * np.log10(true_peak(out)) <= -0.98
    assert abs(song(crest=12.0)).max() > 1


def test_without_the_limiter_what_is_too_loud_is_clipped_and_counted() -> None:
    audio = song(crest=12.0)
    told = perform(STEP, {"audio": audio}, loudness_lufs=0.0, limiter=False)
    assert told["report"]["clipped"] == np.count_nonzero(np.abs(audio) > 1) > 0
    out, report = mastered(audio, loudness_lufs=0.0, limiter=False)
    np.testing.assert_array_equal(out, audio)
    assert report["clipped"] == 0, "floats go beyond full scale"


@pytest.mark.parametrize("rate", [8000, 22050, 48000, 192000])
def test_loudness_and_peak_hold_at_another_rate(rate: int) -> None:
    result = perform(STEP, {"audio": song(crest=2.0)}, subtype="FLOAT", rate=rate, loudness_lufs=-12.0)
    samples, read_rate = soundfile.read(io.BytesIO(result["file"]), dtype="float32")
    out = np.ascontiguousarray(samples.T)
    assert (read_rate, out.shape) == (rate, (2, 5 * rate))
    assert integrated_loudness(out, rate) == pytest.approx(-12, abs=0.3)
    assert 20 * np.log10(true_peak(out)) <= -0.98
    assert result["level"]["samples"] == 5 * RATE


@pytest.mark.parametrize("count", [1, 2, 100])
@pytest.mark.parametrize("rate", [8000, 192000])
def test_the_shortest_songs_are_songs(count: int, rate: int) -> None:
    out, report = mastered(np.full((2, count), 0.5, np.float32), rate=rate)
    assert out.shape[1] == (2 * count * rate + RATE) // (2 * RATE)
    assert np.isfinite(out).all()
    assert report["seconds"] == out.shape[1] / rate


@pytest.mark.parametrize("container", ["wav", "flac"])
def test_equal_songs_make_equal_files(container: str) -> None:
    files = {perform(STEP, {"audio": song()}, container=container)["file"] for _ in range(2)}
    assert len(files) == 1
