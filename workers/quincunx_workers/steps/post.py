"""Post: the dynamics a person drew, laid on the phrase's samples, and ends that never click."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from quincunx_shared.frames import FrameGrid
from quincunx_shared.manifest import Input, Manifest, Option, Output
from quincunx_shared.phrase import DrawnCurve, Timing
from quincunx_shared.step import Step, StepContext
from quincunx_workers.singing.naturalness import swell
from quincunx_workers.steps.drawn import drawn_at, seconds_at, ticks_at

#: DYN in tenths of a decibel; at its lowest value the gain is zero, not −24 dB.
DYN_SILENT = -240.0

#: The raster of drawn curves in the field's editor: gains are exact on it and linear between.
RASTER_TICKS = 5

#: −80 dB. A smaller mean is no offset but rounding, and taking it off would spoil digital silence.
DC_HEARD = 1e-4


def run(inputs: Mapping[str, Any], options: Mapping[str, Any], _context: StepContext) -> npt.NDArray[np.float32]:
    """Return float32[n]: the phrase without DC, with its dynamics, faded in and out."""
    audio = np.array(inputs["audio"], dtype=np.float32)
    mean = float(audio.mean(dtype=np.float64)) if audio.size else 0.0
    if abs(mean) > DC_HEARD:
        audio -= np.float32(mean)

    drawn = inputs["dyn"]
    timing = Timing.from_payload(inputs["timing"])
    grid = FrameGrid(options["sample_rate"], options["hop_size"], options["head_frames"])
    if drawn is not None and drawn["ticks"]:
        audio *= dynamics(DrawnCurve.from_payload(drawn), timing, grid, len(audio))
    if options["swell_db"] > 0:
        audio *= _swelling(options["swell_db"], timing, grid, len(audio))

    _fade(audio, round(options["fade_ms"] / 1000 * options["sample_rate"]))
    return audio


def dynamics(curve: DrawnCurve, timing: Timing, grid: FrameGrid, count: int) -> npt.NDArray[np.float32]:
    """Return the gain of each of the first `count` samples of the phrase: float32[count]."""
    first, last = -grid.head_samples / grid.sample_rate, (count - grid.head_samples) / grid.sample_rate
    low, high = ticks_at(timing, np.array([first, last]))
    raster = np.arange(np.floor(low / RASTER_TICKS), np.ceil(high / RASTER_TICKS) + 1) * RASTER_TICKS

    tenths = drawn_at(curve, raster)
    points = np.where(tenths <= DYN_SILENT, 0.0, 10.0 ** (tenths / 200))
    samples = seconds_at(timing, raster) * grid.sample_rate + grid.head_samples
    return np.interp(np.arange(count), samples, points).astype(np.float32)


def _swelling(height_db: float, timing: Timing, grid: FrameGrid, count: int) -> npt.NDArray[np.float32]:
    """Return the gain of each sample: exact at the frames, linear between."""
    frames = np.arange(-(-count // grid.hop_size) + 1, dtype=np.float64)
    end = max(stop for _, stop in timing.note_seconds())
    points = 10.0 ** (swell((frames - grid.head_frames) * grid.frame_seconds, end, height_db) / 20)
    return np.interp(np.arange(count) / grid.hop_size, frames, points).astype(np.float32)


def _fade(audio: npt.NDArray[np.float32], length: int) -> None:
    """Fade both ends in place: raised cosines that start and end at exactly zero."""
    length = min(length, len(audio) // 2)
    if length > 0:
        rise = (0.5 - 0.5 * np.cos(np.pi * np.arange(length) / length)).astype(np.float32)
        audio[:length] *= rise
        audio[-length:] *= rise[::-1]


STEP = Step(
    Manifest(
        name="post",
        version="1",
        summary="Apply drawn dynamics and fade both ends of a phrase.",
        numeric=True,
        inputs=(
            Input(name="audio", type="audio", summary="float32[n]"),
            Input(name="timing", type="timing"),
            Input(name="dyn", type="curve", required=False, summary="DYN, 0.1 dB; −240 is silence."),
        ),
        outputs=(Output(name="audio", type="audio", summary="float32[n]"),),
        options=(
            Option(name="sample_rate", type="int", default=44100, minimum=8000, maximum=192000),
            Option(name="hop_size", type="int", default=512, minimum=1, maximum=8192),
            Option(name="head_frames", type="int", default=48, minimum=0, maximum=4096),
            Option(
                name="swell_db",
                type="float",
                default=0.0,
                minimum=0.0,
                maximum=12.0,
                summary="How far a phrase swells towards its middle.",
            ),
            Option(name="fade_ms", type="float", default=5.0, minimum=0.0, maximum=1000.0),
        ),
    ),
    run,
)
