"""The step that gives every phone of a phrase its frames as the bank's own duration model has them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from typing import Any

import numpy as np

from quincunx_shared.frames import FrameGrid
from quincunx_shared.manifest import Input, Manifest, Option, Output
from quincunx_shared.phonemes import BREATH, Phonemes
from quincunx_shared.phrase import Melody, Timing
from quincunx_shared.step import Step, StepContext
from quincunx_workers.singing.frame_counts import frame_counts
from quincunx_workers.singing.phrase_words import words_of
from quincunx_workers.singing.prediction import held_to_words
from quincunx_workers.steps.duration import EDGE_FRAMES
from quincunx_workers.steps.predict_words import predicted_seconds
from quincunx_workers.steps.predicting import DURATION_OPTIONS, GRID_OPTIONS, IDS


def run(inputs: Mapping[str, Any], options: Mapping[str, Any], context: StepContext) -> Mapping[str, Any]:
    """Return `ph_seq` and `ph_dur` as the step `duration` does: the same frames, other shares."""
    timing, melody = Timing.from_payload(inputs["timing"]), Melody.from_payload(inputs["melody"])
    grid = FrameGrid(*(options[name] for name in ("sample_rate", "hop_size", "head_frames", "tail_frames")))
    count = grid.frame_count(timing)
    words = words_of(
        Phonemes.from_payload(inputs["phonemes"]),
        timing.note_seconds(),
        [note.tone for note in melody.notes],
        head_seconds=grid.head_frames * grid.frame_seconds,
        total_seconds=count * grid.frame_seconds,
        breath=options["breath"] and BREATH in inputs["phoneme_ids"],
    )
    predicted = predicted_seconds(inputs, options, context, words.symbols, words.counts, words.seconds, words.tones)
    lengths = held_to_words(predicted, words.symbols, words.counts, words.seconds)
    starts = [
        grid.frame_at(start - grid.head_frames * grid.frame_seconds) for start in accumulate([0.0, *lengths[:-1]])
    ]
    counts = frame_counts(starts, count, edge_frames=EDGE_FRAMES)
    return {"ph_seq": list(words.symbols), "ph_dur": np.asarray(counts, dtype=np.int64)}


STEP = Step(
    Manifest(
        name="predict_duration",
        version="1",
        summary="Gives every phone its frames as the bank's duration model does, vowels on the notes.",
        device="gpu",
        numeric=True,
        inputs=(
            Input(name="phonemes", type="phonemes"),
            Input(name="timing", type="timing"),
            Input(name="melody", type="melody", summary="The tones of the notes."),
            *IDS,
        ),
        outputs=(
            Output(name="ph_seq", type="ph_seq", summary="Phones in order, silence first and last."),
            Output(name="ph_dur", type="ph_dur", summary="Frames of each phone, int64[phones]."),
        ),
        options=(
            *DURATION_OPTIONS,
            *GRID_OPTIONS,
            Option(name="breath", type="bool", default=True, summary="Breathe before the phrase."),
        ),
    ),
    run,
)
