"""Spectrogram of a stretch of samples on a mel axis, and its colours."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Decibels: TypeAlias = npt.NDArray[np.float32]

#: 46 ms at 44.1 kHz: long enough to part the harmonics of a low voice, short enough to see a stop's burst.
WINDOW_SECONDS = 0.046

LOWEST_HZ, HIGHEST_HZ = 50.0, 10_000.0

#: What is fainter than the loudest spot by more than this is paper.
SHOWN_DB = 72.0

#: From paper to ink. Dark means loud, as on a printed sonagram.
_INKS = ("#fbfbf9", "#e9edf2", "#c3cedd", "#8295b4", "#43557c", "#16203c")
_INK_AT = (0.0, 0.25, 0.45, 0.65, 0.82, 1.0)


def mel(hertz: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return mels (O'Shaughnessy 1987: 2595 · log10(1 + f / 700))."""
    return np.asarray(2595.0 * np.log10(1.0 + np.asarray(hertz, np.float64) / 700.0))


def height_of(hertz: float) -> float:
    """Return where a frequency stands on the axis: 0 at the lowest, 1 at the highest."""
    low, high = mel(LOWEST_HZ), mel(HIGHEST_HZ)
    return float((mel(hertz) - low) / (high - low))


def spectrogram(
    samples: npt.NDArray[np.float32], rate: int, start: float, end: float, *, columns: int, rows: int
) -> Decibels:
    """Return the level of bands of equal mel, float32[rows, columns] in dB, the lowest band first.

    `samples` is float32[N]; columns are spread evenly from `start` to `end` (seconds), each with a Hann window around
    its middle. Each band holds the mean power of its range, read from the running sum over frequency, so that
    narrow bands at the bottom and wide ones at the top are treated alike.
    """
    length = max(64, 2 * round(WINDOW_SECONDS * rate / 2))
    middles = (start + (np.arange(columns) + 0.5) * (end - start) / columns) * rate
    firsts = np.round(middles).astype(np.int64) - length // 2
    low = min(int(firsts[0]), 0)
    padded = np.pad(samples, (-low, max(0, int(firsts[-1]) + length - len(samples))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, length)[firsts - low]
    power = np.abs(np.fft.rfft(frames * np.hanning(length).astype(np.float32))) ** 2

    summed = np.concatenate([np.zeros((columns, 1)), np.cumsum(power, axis=1, dtype=np.float64)], axis=1)
    edges = _hertz(np.linspace(mel(LOWEST_HZ), mel(HIGHEST_HZ), rows + 1)) * length / rate
    inside = np.minimum(edges, summed.shape[1] - 1)  # above half the sample rate there is nothing
    below = np.minimum(inside.astype(np.int64), summed.shape[1] - 2)
    at_edges = summed[:, below] + (inside - below) * (summed[:, below + 1] - summed[:, below])
    bands = np.diff(at_edges, axis=1) / np.diff(edges)
    levels: Decibels = (10.0 * np.log10(np.maximum(bands.T, 1e-12))).astype(np.float32)
    return levels


def inked(levels: Decibels, loudest_db: float) -> npt.NDArray[np.uint8]:
    """Return the colours of levels: uint8[rows, columns, 3], the highest band on top."""
    shades = np.clip((levels[::-1] - (loudest_db - SHOWN_DB)) / SHOWN_DB, 0.0, 1.0)
    inks = np.array([[int(ink[place : place + 2], 16) for place in (1, 3, 5)] for ink in _INKS])
    return np.stack([np.interp(shades, _INK_AT, inks[:, one]) for one in range(3)], axis=-1).round().astype(np.uint8)


def _hertz(mels: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(700.0 * (10.0 ** (mels / 2595.0) - 1.0))
