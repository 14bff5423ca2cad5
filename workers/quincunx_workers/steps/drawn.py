"""Drawn curves and tempo, over arrays of ticks and seconds."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from quincunx_shared.curve import sample_drawn
from quincunx_shared.frames import FrameGrid
from quincunx_shared.phrase import DrawnCurve, Timing

Floats = npt.NDArray[np.float64]


def drawn_at(curve: DrawnCurve, ticks: Floats) -> Floats:
    """Return the curve at each tick: linear between its points, its default outside them."""
    return sample_drawn(curve, ticks)


def drawn_on_frames(curve: DrawnCurve, timing: Timing, grid: FrameGrid, count: int) -> Floats:
    """Return the curve at the centre of each of the first `count` frames of a phrase: float64[count]."""
    return sample_drawn(curve, ticks_at(timing, grid.centre_seconds(count)))


def seconds_at(timing: Timing, ticks: Floats) -> Floats:
    """Return seconds from the phrase's anchor for each tick."""
    return timing.axis().seconds_at_ticks(ticks)


def ticks_at(timing: Timing, seconds: Floats) -> Floats:
    """Return the tick, with its fraction, of each moment given in seconds from the phrase's anchor."""
    return timing.axis().ticks_at_seconds(seconds)
