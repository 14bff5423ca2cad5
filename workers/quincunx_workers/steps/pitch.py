"""Pitch: notes, portamento, vibrato and the drawn curve become f0."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from quincunx_shared.canonical import digest_of
from quincunx_shared.frames import FrameGrid
from quincunx_shared.manifest import Input, Manifest, Option, Output
from quincunx_shared.phrase import DrawnCurve, Melody, Timing
from quincunx_shared.step import Step, StepContext
from quincunx_workers.singing.drift import drift
from quincunx_workers.singing.naturalness import natural_vibrato
from quincunx_workers.singing.pitch_line import pitch_line, raster

_GRID = FrameGrid()


def run(inputs: Mapping[str, Any], options: Mapping[str, Any], _context: StepContext) -> npt.NDArray[np.float32]:
    """Return float32[T], Hz, at the centres of the frames. Head and tail hold the first and the last pitch."""
    timing, melody = Timing.from_payload(inputs["timing"]), Melody.from_payload(inputs["melody"])
    pitd = DrawnCurve() if inputs["pitd"] is None else DrawnCurve.from_payload(inputs["pitd"])
    grid = FrameGrid(options["sample_rate"], options["hop_size"], options["head_frames"], options["tail_frames"])
    count = grid.frame_count(timing)

    # At the very end of the last note its pitch points and vibrato are over and the bare tone is back. The release
    # that rings on must not jump there, so the tail holds the last pitch within the note.
    known = raster(timing)
    known = known[known < timing.end_tick]
    line = pitch_line(timing, melody, pitd)[: len(known)]
    cents = np.interp(timing.axis().ticks_at_seconds(grid.centre_seconds(count)), known, line)
    if options["drift_cents"] > 0:
        # When its notes sound is part of the key, or all phrases of a song would drift alike; and the first tone, or
        # two voices in harmony would. Pitch points are not: who moves one wants to hear that one move.
        key = int(digest_of(["pitch drift", options["seed"], inputs["timing"], melody.notes[0].tone]), 16)
        cents += options["drift_cents"] * drift(count, grid.frame_seconds, key)
    if options["vibrato_cents"] > 0:
        straight = [
            span
            for span, note in zip(timing.note_seconds(), melody.notes, strict=True)
            if note.vibrato is None or note.vibrato.length <= 0
        ]
        cents += options["vibrato_cents"] * natural_vibrato(grid.centre_seconds(count), straight)
    return hertz(cents).astype(np.float32)


def hertz(cents: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the frequency of cents above MIDI tone 0: 6900 is 440 Hz."""
    return np.asarray(440.0 * 2.0 ** ((cents / 100 - 69) / 12))


STEP = Step(
    Manifest(
        name="pitch",
        version="1",
        summary="Sings the notes as a line of pitch: portamento, vibrato, drawn pitch and a slow natural drift.",
        numeric=True,
        inputs=(
            Input(name="timing", type="timing"),
            Input(name="melody", type="melody", summary="Tone, pitch points and vibrato of every note."),
            Input(name="pitd", type="curve", required=False, summary="PITD, cents."),
        ),
        outputs=(Output(name="f0", type="f0", summary="float32[T], Hz."),),
        options=(
            Option(name="sample_rate", type="int", default=_GRID.sample_rate, minimum=8000, maximum=192000),
            Option(name="hop_size", type="int", default=_GRID.hop_size, minimum=1, maximum=8192),
            Option(name="head_frames", type="int", default=_GRID.head_frames, minimum=0, maximum=4096),
            Option(name="tail_frames", type="int", default=_GRID.tail_frames, minimum=0, maximum=4096),
            Option(
                name="drift_cents",
                type="float",
                default=4.0,
                minimum=0.0,
                maximum=50.0,
                summary="How far it drifts at most.",
            ),
            Option(
                name="vibrato_cents",
                type="float",
                default=0.0,
                minimum=0.0,
                maximum=200.0,
                summary="Of long notes without a drawn vibrato.",
            ),
            Option(name="seed", type="int", default=0, minimum=0, summary="Chooses the drift."),
        ),
    ),
    run,
)
