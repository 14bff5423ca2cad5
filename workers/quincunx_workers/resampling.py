"""Another sample rate for the same sound."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Audio = npt.NDArray[np.float32]


def resampled(audio: Audio, from_rate: int, to_rate: int) -> Audio:
    """Return float32[..., N] at another rate, with exactly `length_at(N, …)` samples and no delay.

    soxr's best quality (VHQ): a linear phase, flat to 0.91 of the lower Nyquist frequency, images below −170 dB.
    """
    if from_rate == to_rate:
        return audio
    length = length_at(audio.shape[-1], from_rate, to_rate)
    # Imported here: most songs keep their rate, and a render after an edit has no time for it.
    import soxr

    whole = soxr.resample(audio.T, from_rate, to_rate, quality="VHQ").T if audio.shape[-1] else audio
    out = np.zeros((*audio.shape[:-1], length), dtype=np.float32)
    kept = min(length, whole.shape[-1])
    out[..., :kept] = whole[..., :kept]
    return out


def length_at(count: int, from_rate: int, to_rate: int) -> int:
    """Return how many samples a sound of `count` samples has at another rate: rounded, halves up."""
    return (2 * count * to_rate + from_rate) // (2 * from_rate)
