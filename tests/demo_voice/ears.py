"""Measurements on samples: pitch, spectra, formants and levels, each from its definition."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

RATE = 44_100
HOP = 512

Reals = NDArray[np.float64]


def frames_of(samples: NDArray[np.floating], length: int) -> Reals:
    """Stretches centred on the bank's frame centres, n * 512 + 256; [F, length]."""
    padded = np.pad(np.asarray(samples, np.float64), length)
    starts = np.arange(len(samples) // HOP) * HOP + HOP // 2 + length // 2
    return np.stack([padded[start : start + length] for start in starts])


def pitch_of(samples: NDArray[np.floating], length: int = 2_048) -> tuple[Reals, Reals]:
    """f0 in Hz and periodicity, 0 to 1, of every frame.

    The autocorrelation of a Hann window's frame, divided by that of the window (Boersma 1993), has its first high
    peak one period away; a parabola through the peak of the last period that still fits gives its place.
    """
    window = np.hanning(length)
    reach, shortest = length // 2, RATE // 1_000
    of_window = np.fft.irfft(np.abs(np.fft.rfft(window, 2 * length)) ** 2)[:reach]
    found = []
    for frame in frames_of(samples, length):
        power = np.abs(np.fft.rfft((frame - frame.mean()) * window, 2 * length)) ** 2
        correlation = np.fft.irfft(power)[:reach] / of_window * of_window[0]
        correlation /= max(correlation[0], 1e-12)
        candidates = correlation[shortest : RATE // 50]
        lag = shortest + int(np.argmax(candidates > 0.95 * candidates.max()))
        while correlation[lag + 1] > correlation[lag]:
            lag += 1
        periods = max(1, (reach - 3) // lag - 1)
        near = periods * lag
        width = max(1, lag // 4)
        near += int(np.argmax(correlation[near - width : near + width + 1])) - width
        left, middle, right = correlation[near - 1 : near + 2]
        place = near + np.clip(0.5 * (left - right) / min(left - 2 * middle + right, -1e-12), -1.0, 1.0)
        found.append((RATE * periods / place, correlation[lag]))
    pitch, periodicity = np.array(found).T
    return pitch, periodicity


def cents(measured: Reals, wanted: Reals) -> Reals:
    return np.asarray(1_200.0 * np.log2(measured / wanted))


def phase_at(samples: NDArray[np.floating], f0: float, centre: int, length: int = 8_192) -> float:
    """Phase in cycles of the component at ``f0``, extrapolated to sample 0."""
    place = np.arange(centre - length // 2, centre + length // 2)
    turned = samples[place] * np.exp(-2j * np.pi * f0 * place / RATE) * np.hanning(length)
    return float(np.angle(turned.sum()) / (2 * np.pi))


def power_spectrum(samples: NDArray[np.floating], length: int = 8_192) -> tuple[Reals, Reals]:
    """Long-term power over frequency: the mean of Hann-windowed frames half a frame apart."""
    stretches = np.lib.stride_tricks.sliding_window_view(np.asarray(samples, np.float64), length)[:: length // 2]
    power = np.abs(np.fft.rfft(stretches * np.hanning(length))) ** 2
    return np.asarray(np.fft.rfftfreq(length, 1 / RATE), np.float64), power.mean(axis=0)


def level_between(samples: NDArray[np.floating], low_hz: float, high_hz: float) -> float:
    """Level in dB of a band, relative to the whole."""
    frequency, power = power_spectrum(samples)
    inside = (frequency >= low_hz) & (frequency < high_hz)
    return float(10 * np.log10(power[inside].sum() / power.sum()))


def off_grid_level(samples: NDArray[np.floating], f0: float, below_hz: float) -> float:
    """Level in dB of what lies between the harmonics of ``f0``, relative to what lies on them."""
    power = np.abs(np.fft.rfft(samples * np.blackman(len(samples)))) ** 2
    frequency = np.fft.rfftfreq(len(samples), 1 / RATE)
    low = frequency < below_hz
    nearest = np.maximum(np.round(frequency / f0), 1.0) * f0
    on_grid = np.abs(frequency - nearest) < 5 * RATE / len(samples)
    return float(10 * np.log10(power[low & ~on_grid].sum() / power[low & on_grid].sum()))


def envelope(samples: NDArray[np.floating], f0: float) -> Reals:
    """Shape of the spectrum from 0.1 to 5 kHz on a mel-like axis, in dB with its mean removed; [60].

    The maximum over one harmonic distance bridges the gaps between harmonics.
    """
    frequency, power = power_spectrum(samples, 2_048)
    grid = np.geomspace(400.0, 5_300.0, 60) - 300.0
    inside = np.abs(frequency - grid[:, None]) <= max(f0 * 0.55, 25.0)
    highest = np.where(inside, 10 * np.log10(power + 1e-12), -np.inf).max(axis=1)
    return np.asarray(highest - highest.mean())


def formants(samples: NDArray[np.floating], near_hz: Reals) -> Reals:
    """The peak of the long-term spectrum nearest to each frequency, in Hz.

    Good for a voice whose harmonics sweep through every frequency. Emphasis of 6 dB per octave takes out the fall
    of the source, which would pull every peak down.
    """
    frequency, power = power_spectrum(samples)
    emphasised = 10 * np.log10(power * frequency**2 + 1e-12)
    smooth = np.convolve(emphasised, np.hanning(15) / np.hanning(15).sum(), "same")
    peaks = np.flatnonzero((smooth[1:-1] > smooth[:-2]) & (smooth[1:-1] > smooth[2:])) + 1
    return np.array([frequency[peaks[np.argmin(np.abs(frequency[peaks] - near))]] for near in near_hz])


def mel_spectrogram(samples: NDArray[np.floating]) -> Reals:
    """Log mel spectrogram of openvpi's layout; [F, 128]."""
    window = np.sin(np.pi * np.arange(2_048) / 2_048) ** 2
    magnitude = np.abs(np.fft.rfft(frames_of(samples, 2_048) * window))
    return np.asarray(np.log(np.maximum(magnitude @ _slaney_triangles().T, 1e-5)))


@cache
def _slaney_triangles() -> Reals:
    """Slaney's 128 triangles of equal area from 40 Hz to 16 kHz, written from his definition; [128, 1025]."""
    highest = 15.0 + np.log(16.0) / np.log(6.4) * 27.0
    mel = np.linspace(40.0 * 3 / 200, highest, 130)
    edges = np.where(mel < 15.0, mel * 200 / 3, 1_000.0 * 6.4 ** ((mel - 15.0) / 27.0))
    frequency = np.fft.rfftfreq(2_048, 1 / RATE)
    left, centre, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    triangles = np.minimum((frequency - left) / (centre - left), (right - frequency) / (right - centre))
    return np.asarray(np.maximum(triangles, 0.0) * 2.0 / (right - left))
