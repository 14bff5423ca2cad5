"""What singers add unasked: vibrato on long notes, and a phrase that swells. Pure, over moments in seconds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

VIBRATO_HZ = 5.5
#: A note begins straight and swings a moment later, within which it grows.
ONSET_SECONDS, GROWTH_SECONDS, RELEASE_SECONDS = 0.22, 0.3, 0.08
#: Shorter notes stay straight.
LEAST_NOTE_SECONDS = 0.5

ATTACK_SECONDS = 0.06
ATTACK_DB = -3.0
#: The mean of half a sine, so that a swell leaves the loudness of a phrase where it was.
_MEAN_OF_ARCH = 2 / np.pi


def natural_vibrato(seconds: Floats, notes: Sequence[tuple[float, float]]) -> Floats:
    """Return the swing at each moment for notes given as start and end, between -1 and 1: float64[n]."""
    swing = np.zeros(len(seconds))
    for start, end in notes:
        if end - start < LEAST_NOTE_SECONDS:
            continue
        sung = seconds - start - ONSET_SECONDS
        depth = np.clip(sung / GROWTH_SECONDS, 0, 1) * np.clip((end - seconds) / RELEASE_SECONDS, 0, 1)
        swing += depth * np.sin(2 * np.pi * VIBRATO_HZ * sung)
    return swing


def swell(seconds: Floats, end: float, height_db: float) -> Floats:
    """Return the gain in dB at each moment of a phrase that sounds from 0 to `end`: float64[n].

    It rises by `height_db` to the middle and falls again, around its mean, after an attack that is a little softer.
    What sounds before and after keeps the gain of the edge.
    """
    along = np.clip(seconds / max(end, 1e-6), 0, 1)
    attack = np.clip(1 - seconds / ATTACK_SECONDS, 0, 1) * ATTACK_DB
    return np.asarray(height_db * (np.sin(np.pi * along) - _MEAN_OF_ARCH) + attack)
