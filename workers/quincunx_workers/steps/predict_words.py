"""Durations as a bank's own model has them: the seconds of every phone of words whose length the score gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt

from quincunx_shared.errors import BadInput, StepFailed
from quincunx_shared.manifest import Input, Manifest, Output
from quincunx_shared.step import Step, StepContext
from quincunx_workers.singing.prediction import (
    encoded,
    filled_tones,
    is_pause,
    run_model,
)
from quincunx_workers.singing.word_time import scaled_to_words
from quincunx_workers.steps.model_feeds import language_ids, speaker_on_frames, token_ids
from quincunx_workers.steps.predicting import DURATION_OPTIONS, IDS, ONE_SPEAKER

Floats = npt.NDArray[np.float64]


def run(inputs: Mapping[str, Any], options: Mapping[str, Any], context: StepContext) -> Floats:
    """Return the seconds of each phoneme, float64[P]; those of a word sum to its `word_dur`, as DiffSinger has it."""
    words = inputs["words"]
    counts, seconds = words["ph_num"], words["word_dur"]
    tones = words.get("word_midi") or [None] * len(counts)
    predicted = predicted_seconds(inputs, options, context, inputs["ph_seq"], counts, seconds, tones)
    return scaled_to_words(predicted, counts, seconds)


def predicted_seconds(
    inputs: Mapping[str, Any],
    options: Mapping[str, Any],
    context: StepContext,
    symbols: Sequence[str],
    counts: Sequence[int],
    seconds: Sequence[float],
    tones: Sequence[float | None],
) -> Floats:
    """Return what the model says of each phone, float64[P], in seconds; words have MIDI tones, None for a rest."""
    if not sum(counts) == len(symbols) > 0 or not len(counts) == len(seconds) == len(tones):
        told = f"{len(counts)} words of {sum(counts)} phonemes, {len(seconds)} durations, {len(tones)} tones"
        raise BadInput(f"{told} for {len(symbols)} phonemes", where="ph_num")
    linguistic, model = context.model(options["linguistic"]), context.model(options["dur"])
    frame = options["frame_seconds"]
    ends = np.floor(np.array(list(accumulate(seconds))) / frame + 0.5).astype(np.int64)
    feeds = {
        "tokens": token_ids(symbols, inputs["phoneme_ids"])[np.newaxis],
        "languages": language_ids(symbols, inputs["language_ids"])[np.newaxis],
        "word_div": np.array([counts], dtype=np.int64),
        "word_dur": np.diff(ends, prepend=np.int64(0))[np.newaxis],
    }
    encoder_out, masks = encoded(linguistic, symbols, feeds)
    heard = np.repeat(filled_tones(tones), counts)
    midi = [0 if is_pause(symbol) else round(tone) for symbol, tone in zip(symbols, heard, strict=True)]
    feeds = {"encoder_out": encoder_out, "x_masks": masks, "ph_midi": np.array([midi], dtype=np.int64)}
    if "spk_embed" in model.inputs:
        feeds["spk_embed"] = speaker_on_frames(model, options["speaker"], ONE_SPEAKER, len(symbols), context)
    frames = np.asarray(run_model(model, feeds, what="duration", seed=options["seed"])[0], np.float64).reshape(-1)
    if len(frames) != len(symbols) or not np.isfinite(frames).all():
        raise StepFailed(f"{len(symbols)} phonemes went into the duration model, {len(frames)} durations came out")
    return np.asarray(frames * frame)


STEP = Step(
    Manifest(
        name="predict_words",
        version="1",
        summary="Share the time of words among their phonemes as the bank's duration model does.",
        device="gpu",
        numeric=True,
        inputs=(
            Input(name="ph_seq", type="ph_seq", summary="P names."),
            Input(name="words", type="words", summary="{ph_num, word_dur, word_midi}; a word that rests has null."),
            *IDS,
        ),
        outputs=(Output(name="ph_dur", type="seconds", summary="Seconds of each phoneme, float64[P]."),),
        options=DURATION_OPTIONS,
    ),
    run,
)
