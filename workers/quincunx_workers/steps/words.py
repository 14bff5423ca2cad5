"""The step that shares the time of words among their phonemes, where a transcript does not say how long each lasts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from quincunx_shared.errors import BadInput
from quincunx_shared.manifest import Input, Manifest, Output
from quincunx_shared.step import Step, StepContext
from quincunx_workers.singing.phonology import Phonology
from quincunx_workers.singing.word_time import scaled_to_words, wished_seconds


def run(inputs: Mapping[str, Any], _options: Mapping[str, Any], context: StepContext) -> npt.NDArray[np.float64]:
    """Return the seconds of each phoneme, float64[P]; those of a word sum to its `word_dur`."""
    symbols, words = inputs["ph_seq"], inputs["words"]
    counts, word_seconds = words["ph_num"], words["word_dur"]
    if sum(counts) != len(symbols) or len(counts) != len(word_seconds):
        counted = f"{len(counts)} words of {sum(counts)} phonemes"
        raise BadInput(f"{counted} for {len(word_seconds)} durations and {len(symbols)} phonemes", where="ph_num")
    phonology = Phonology.from_payload(inputs["phonology"], context.file)
    wished = wished_seconds(symbols, counts, word_seconds, phonology.kind, phonology.natural_seconds)
    return scaled_to_words(wished, counts, word_seconds)


STEP = Step(
    Manifest(
        name="words",
        version="1",
        summary="Share the time of words among their phonemes: consonants as long as they are by nature.",
        inputs=(
            Input(name="ph_seq", type="ph_seq", summary="P names."),
            Input(name="words", type="words", summary="{ph_num, word_dur}: phonemes and seconds of each word."),
            Input(name="phonology", type="phonology"),
        ),
        outputs=(Output(name="ph_dur", type="seconds", summary="Seconds of each phoneme, float64[P]."),),
    ),
    run,
)
