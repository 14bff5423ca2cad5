"""Integrated loudness after ITU-R BS.1770-4 (EBU R128), for mono and stereo.

Written here rather than taken from a library because the known one imports SciPy's signal package: two seconds of
start-up for a render that takes one. The library is the tests' oracle.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

#: Loudness of a full-scale mean square of 1, so that a 997 Hz sine at 0 dBFS in one channel reads −3.01 LUFS.
OFFSET_LU = -0.691

#: Windows quieter than this are no programme.
ABSOLUTE_GATE_LUFS = -70.0

#: Windows this much below the mean of the rest are pauses.
RELATIVE_GATE_LU = -10.0

#: Gating windows are 400 ms long and start every 100 ms.
BLOCKS_PER_WINDOW = 4

#: Blocks filtered by one Fourier transform. One more goes in front: the filter has died away to −200 dB after 100 ms.
BLOCKS_PER_FRAME = 6

#: Frames in flight, so that the work stays in the cache.
FRAMES_AT_ONCE = 8


def integrated_loudness(audio: npt.NDArray[np.float32], sample_rate: int) -> float | None:
    """Return the loudness in LUFS of float32[channels, N], or None where all is silence.

    Audio shorter than a gating window, which the standard leaves undefined, counts as one window.
    """
    powers = _block_powers(audio, sample_rate // 10)
    if len(powers) >= BLOCKS_PER_WINDOW:
        windows = np.convolve(powers, np.full(BLOCKS_PER_WINDOW, 1 / BLOCKS_PER_WINDOW), mode="valid")
    else:
        windows = np.array([_short_power(audio, sample_rate // 10)])

    heard = windows[windows > 10 ** ((ABSOLUTE_GATE_LUFS - OFFSET_LU) / 10)]
    if not heard.size:
        return None
    programme = heard[heard > heard.mean() * 10 ** (RELATIVE_GATE_LU / 10)]
    return OFFSET_LU + 10 * math.log10(float(programme.mean()))


def k_weighting(sample_rate: int, frequencies: Floats) -> npt.NDArray[np.complex128]:
    """Return the response of the K filter: the standard's two biquads, carried to any sample rate.

    The analogue values are those that give the coefficients printed in the standard at 48 kHz (De Man, 2014).
    """
    z = np.exp(-2j * np.pi * frequencies / sample_rate)

    k, q = math.tan(math.pi * 1681.974450955533 / sample_rate), 0.7071752369554196
    high = 10 ** (3.999843853973347 / 20)
    band = high**0.4996667741545416
    shelf = (high + band * k / q + k * k) + 2 * (k * k - high) * z + (high - band * k / q + k * k) * z**2
    shelf /= (1 + k / q + k * k) + 2 * (k * k - 1) * z + (1 - k / q + k * k) * z**2

    k, q = math.tan(math.pi * 38.13547087602444 / sample_rate), 0.5003270373238773
    high_pass = (1 - z) ** 2
    high_pass /= 1 + (2 * (k * k - 1) * z + (1 - k / q + k * k) * z**2) / (1 + k / q + k * k)
    return np.asarray(shelf * high_pass)


def _block_powers(audio: npt.NDArray[np.float32], block: int) -> Floats:
    """Return the K-weighted mean square of each whole block of 100 ms, summed over the channels."""
    count = audio.shape[1] // block
    # Channels know nothing of each other, and NumPy lets go of the interpreter while it transforms.
    with ThreadPoolExecutor(max_workers=len(audio)) as pool:
        energies = [found[:count] for found in pool.map(lambda channel: _energies(channel, block), audio)]
    return np.asarray(np.sum(energies, axis=0) / block)


def _short_power(audio: npt.NDArray[np.float32], block: int) -> float:
    energy = math.fsum(float(_energies(channel, block).sum()) for channel in audio)
    return float(energy / max(1, audio.shape[1]))


def _energies(channel: npt.NDArray[np.float32], block: int) -> Floats:
    """Return the K-weighted energy of every block of one channel, the last one filled up with zeros."""
    step, size = BLOCKS_PER_FRAME * block, (BLOCKS_PER_FRAME + 1) * block
    frame_count = -(-len(channel) // step)
    padded = np.zeros(block + frame_count * step, dtype=np.float32)
    padded[block : block + len(channel)] = channel

    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::step] if frame_count else np.empty((0, size))
    response = k_weighting(10 * block, np.arange(size // 2 + 1, dtype=np.float64) * (10 * block / size))
    # Single precision is good for a hundredth of a millidecibel and twice as fast.
    response = response.astype(np.complex64)
    energies = np.empty((frame_count, BLOCKS_PER_FRAME))
    for first in range(0, frame_count, FRAMES_AT_ONCE):
        spectra = np.fft.rfft(frames[first : first + FRAMES_AT_ONCE])
        weighted = np.fft.irfft(spectra * response, size)[:, block:].reshape(-1, BLOCKS_PER_FRAME, block)
        energies[first : first + FRAMES_AT_ONCE] = np.einsum("fbs,fbs->fb", weighted, weighted)
    return energies.ravel()
