"""Drawn curves and tempo, over arrays of ticks and seconds."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from quincunx_shared.frames import FrameGrid
from quincunx_shared.phrase import DrawnCurve, Timing

Floats = npt.NDArray[np.float64]

#: Between two of these the tempo counts as constant when seconds become ticks.
STEP_TICKS = 5


def drawn_at(curve: DrawnCurve, ticks: Floats) -> Floats:
    """Return the curve at each tick: linear between its points, its default outside them."""
    if not curve.ticks:
        return np.full(ticks.shape, curve.default)
    return np.interp(ticks, curve.ticks, curve.values, left=curve.default, right=curve.default)


def drawn_on_frames(curve: DrawnCurve, timing: Timing, grid: FrameGrid, count: int) -> Floats:
    """Return the curve at the centre of each of the first `count` frames of a phrase: float64[count]."""
    return drawn_at(curve, ticks_at(timing, grid.centre_seconds(count)))


def seconds_at(timing: Timing, ticks: Floats) -> Floats:
    """Return seconds from the phrase's anchor for each tick."""
    axis = timing.axis()
    return np.array([axis.seconds_at(tick) for tick in ticks.tolist()])


def ticks_at(timing: Timing, seconds: Floats) -> Floats:
    """Return the tick, with its fraction, of each moment given in seconds from the phrase's anchor."""
    axis = timing.axis()
    low, high = -STEP_TICKS, timing.end_tick
    while axis.seconds_at(low) > seconds.min():
        low *= 2
    while axis.seconds_at(high) < seconds.max():
        high += high + STEP_TICKS
    count = math.ceil((high - low) / STEP_TICKS)
    raster = low + STEP_TICKS * np.arange(count + 1, dtype=np.float64)
    return np.interp(seconds, seconds_at(timing, raster), raster)
