"""True peak, and a limiter that looks ahead.

A true peak is the highest point of the wave between the samples, found by fourfold oversampling (ITU-R BS.1770-4,
annex 2). Oversampling a whole song costs more than mixing it, so only stretches whose samples come near the ceiling
are oversampled: between samples a band-limited wave rises by far less than the 6 dB left here, except for test
signals made to do so.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import soxr

Audio = npt.NDArray[np.float32]

OVERSAMPLING = 4

#: Peaks and gains are kept for blocks of this many samples, 0.7 ms.
BLOCK = 32

#: Oversampling works on stretches of this many samples, with context on both sides for the filter to settle.
STRETCH = 2048
CONTEXT = 128

#: Stretches oversampled by one call, so that the dense wave stays in the cache.
STRETCHES_AT_ONCE = 32

#: How near to the ceiling samples must come for their stretch to be oversampled.
NEAR = 0.5

#: Half the length of the gain's move, in blocks: 10 ms up and down, slow enough not to buzz on a low voice.
REACH = 14


def block_peaks(audio: Audio, near: float) -> Audio:
    """Return the peak of every block over all channels: the true peak where samples reach `near`, else theirs."""
    count = -(-audio.shape[1] // STRETCH)
    peaks = np.zeros(count * STRETCH, dtype=np.float32)
    for channel in audio:
        np.maximum(peaks[: len(channel)], np.abs(channel), out=peaks[: len(channel)])
    blocks = peaks.reshape(count, STRETCH // BLOCK, BLOCK).max(axis=2)

    hot = np.flatnonzero(blocks.max(axis=1) >= near) if near > 0 else np.empty(0, dtype=np.intp)
    # The channels are looked at side by side: oversampling happens outside the interpreter.
    with ThreadPoolExecutor(max_workers=len(audio)) as pool:
        for found in pool.map(lambda channel: _oversampled_peaks(channel, hot), audio):
            blocks[hot] = np.maximum(blocks[hot], found)
    return np.asarray(blocks.ravel()[: -(-audio.shape[1] // BLOCK)])


def true_peak(audio: Audio) -> float:
    """Return the highest true peak of float32[channels, N], linear."""
    loudest = float(np.max(np.abs(audio), initial=0.0))
    return float(np.max(block_peaks(audio, loudest * NEAR), initial=0.0))


def limiting_gains(peaks: Audio, ceiling: float) -> npt.NDArray[np.float64]:
    """Return gains of at most 1 at the block boundaries, float64[blocks + 1], that hold every peak below a ceiling.

    Between two boundaries the gain is a straight line. The lowest gain needed within reach is averaged over the same
    reach with a Hann window, so the gain is down in time and never moves abruptly.
    """
    needed = np.minimum(1.0, ceiling / np.maximum(peaks, np.finfo(np.float32).tiny).astype(np.float64))
    if not (needed < 1).any():
        return np.ones(len(peaks) + 1)
    edges = np.minimum(np.concatenate([[1.0], needed]), np.concatenate([needed, [1.0]]))
    padded = np.pad(edges, 2 * REACH, constant_values=1.0)
    lowest = np.lib.stride_tricks.sliding_window_view(padded, 2 * REACH + 1).min(axis=1)
    window = np.hanning(2 * REACH + 3)[1:-1]
    return np.convolve(lowest, window / window.sum(), mode="valid")


def apply_gains(audio: Audio, gains: npt.NDArray[np.float64]) -> Audio:
    """Return float32[channels, N] times gains that stand at block boundaries."""
    length = audio.shape[1]
    ramp = np.arange(BLOCK, dtype=np.float32) / np.float32(BLOCK)
    first, rise = gains[:-1].astype(np.float32), np.diff(gains).astype(np.float32)
    per_sample = (first[:, np.newaxis] + rise[:, np.newaxis] * ramp).ravel()[:length]
    return audio * per_sample


def _oversampled_peaks(channel: Audio, stretches: npt.NDArray[np.intp]) -> Audio:
    """Return the true peak of every block of the stretches asked for: float32[stretches, blocks in one]."""
    per_stretch = STRETCH // BLOCK
    if not stretches.size:
        return np.empty((0, per_stretch), dtype=np.float32)
    padded = np.zeros(-(-len(channel) // STRETCH) * STRETCH + 2 * CONTEXT, dtype=np.float32)
    padded[CONTEXT : CONTEXT + len(channel)] = channel

    windows = np.lib.stride_tricks.sliding_window_view(padded, STRETCH + 2 * CONTEXT)[::STRETCH]
    peaks = np.empty((len(stretches), per_stretch), dtype=np.float32)
    for first in range(0, len(stretches), STRETCHES_AT_ONCE):
        some = windows[stretches[first : first + STRETCHES_AT_ONCE]]
        dense = np.abs(soxr.resample(some.ravel(), 1, OVERSAMPLING, quality="VHQ")).reshape(len(some), -1)
        inner = dense[:, OVERSAMPLING * CONTEXT : -OVERSAMPLING * CONTEXT]
        peaks[first : first + len(some)] = inner.reshape(len(some), per_stretch, -1).max(axis=2)
    return peaks
