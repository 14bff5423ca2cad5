"""The slow wandering of a sung pitch, so that held notes do not stand still like an organ's."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]

#: Between two draws. The wandering stays below half the rate of the draws, 2.5 Hz, well under any vibrato.
KNOT_SECONDS = 0.2


def drift(count: int, frame_seconds: float, key: int) -> Floats:
    """Return a smooth wandering over `count` frames, between -1 and 1 and with mean 0: float64[count].

    A cubic B-spline over even draws: arithmetic alone, on bits whose stream NumPy keeps for ever, so that a key
    gives the same line on every machine. Median height about 0.3.
    """
    position = np.arange(count, dtype=np.float64) * (frame_seconds / KNOT_SECONDS)
    knot = position.astype(np.int64)
    bits = np.random.PCG64(key).random_raw(int(knot[-1]) + 4)
    draws = (bits >> np.uint64(11)) * 2.0**-52 - 1

    u = position - knot
    v = 1 - u
    line = (
        draws[knot] * (v * v * v)
        + draws[knot + 1] * (4 - 6 * u * u + 3 * u * u * u)
        + draws[knot + 2] * (4 - 6 * v * v + 3 * v * v * v)
        + draws[knot + 3] * (u * u * u)
    ) / 6
    line -= line.mean()
    return np.asarray(line / max(1.0, float(np.abs(line).max())))
