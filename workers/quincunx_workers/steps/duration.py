"""The step that gives every phone its frames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quincunx_shared.frames import FrameGrid
from quincunx_shared.manifest import Input, Manifest, Option, Output
from quincunx_shared.phonemes import BREATH, Phonemes
from quincunx_shared.phrase import Timing
from quincunx_shared.step import Step, StepContext
from quincunx_workers.singing.alignment import align
from quincunx_workers.singing.frame_counts import frame_counts
from quincunx_workers.singing.phonology import Phonology

#: Silence at both ends that consonants may not use: models need it to start and end cleanly, and batches pad on it.
EDGE_FRAMES = 8

_GRID = FrameGrid()


def run(inputs: Mapping[str, Any], options: Mapping[str, Any], context: StepContext) -> Mapping[str, Any]:
    """Return `ph_seq`, the phones with silence at both ends, and `ph_dur`, int64[phones] in frames.

    The sum of `ph_dur` is the frame count of the phrase's grid.
    """
    timing = Timing.from_payload(inputs["timing"])
    phonology = Phonology.from_payload(inputs["phonology"], context.file)
    grid = FrameGrid(options["sample_rate"], options["hop_size"], options["head_frames"], options["tail_frames"])
    room_frames = max(grid.head_frames - EDGE_FRAMES, 0)
    spans = align(
        Phonemes.from_payload(inputs["phonemes"]),
        timing.note_seconds(),
        phonology.natural_seconds,
        head_seconds=room_frames * grid.frame_seconds,
        breath=options["breath"] and BREATH in phonology.phones,
    )
    starts = [grid.frame_at(span.start) for span in spans]
    counts = frame_counts(starts, grid.frame_count(timing), edge_frames=EDGE_FRAMES)
    return {"ph_seq": [span.symbol for span in spans], "ph_dur": counts}


STEP = Step(
    Manifest(
        name="duration",
        version="1",
        summary="Gives every phone its frames: vowels on the notes, consonants before them.",
        inputs=(
            Input(name="phonemes", type="phonemes"),
            Input(name="timing", type="timing"),
            Input(name="phonology", type="phonology"),
        ),
        outputs=(
            Output(name="ph_seq", type="ph_seq", summary="Phones in order, silence first and last."),
            Output(name="ph_dur", type="ph_dur", summary="Frames of each phone, int64[phones]."),
        ),
        options=(
            Option(name="sample_rate", type="int", default=_GRID.sample_rate, minimum=1),
            Option(name="hop_size", type="int", default=_GRID.hop_size, minimum=1),
            Option(name="head_frames", type="int", default=_GRID.head_frames, minimum=0),
            Option(name="tail_frames", type="int", default=_GRID.tail_frames, minimum=0),
            Option(name="breath", type="bool", default=True, summary="Breathe before the phrase where there is room."),
        ),
    ),
    run,
)
