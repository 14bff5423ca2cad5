"""What a bank's models of durations and of pitch are fed with, and how what they say is held to the score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from quincunx_shared.errors import BadVoicebank, StepFailed
from quincunx_shared.phonemes import BREATH, SILENCE
from quincunx_shared.step import Model

Floats = npt.NDArray[np.float64]


def encoded(model: Model, symbols: Sequence[str], feeds: Mapping[str, Any]) -> tuple[Any, Any]:
    """Run a linguistic model on one phrase and return `encoder_out` and `x_masks`, each [1, P, …]."""
    outputs = dict(zip(model.outputs, run_model(model, feeds, what="linguistic"), strict=True))
    try:
        encoder_out, masks = outputs["encoder_out"], outputs["x_masks"]
    except KeyError as error:
        raise BadVoicebank(f"a linguistic model gives encoder_out and x_masks, and {error} is missing") from error
    if encoder_out.shape[:2] != (1, len(symbols)):
        raise StepFailed(f"{len(symbols)} phones went in, an encoding of shape {encoder_out.shape} came out")
    return encoder_out, masks


def run_model(model: Model, feeds: Mapping[str, Any], *, what: str, seed: int = 0) -> tuple[Any, ...]:
    """Run a model on what its own graph declares. Raises `BadVoicebank` for an input nobody knows."""
    unknown = next((name for name in model.inputs if name not in feeds), None)
    if unknown is not None:
        raise BadVoicebank(f"nobody knows what to feed to {unknown!r}", where=f"{what} model")
    typed = {name: np.asarray(feeds[name], dtype=model.inputs[name][0]) for name in model.inputs}
    return model.run(typed, seed=seed)


def held_to_words(
    predicted: Floats, symbols: Sequence[str], counts: Sequence[int], word_seconds: Sequence[float]
) -> Floats:
    """Return predicted seconds so that each word lasts as long as the score says, float64[P].

    In a word that opens with silence only the silence gives way, as far as it can: consonants before a phrase or
    behind a rest keep their length. All other words are stretched evenly, as DiffSinger does.
    """
    held, at = [], 0
    for count, seconds in zip(counts, word_seconds, strict=True):
        part = np.maximum(predicted[at : at + count], 0.0)
        pause = count > 0 and symbols[at] == SILENCE and seconds > float(part[1:].sum())
        held.append(_after_silence(part, seconds) if pause else _stretched(part, seconds))
        at += count
    return np.concatenate(held) if held else predicted


def _after_silence(part: Floats, seconds: float) -> Floats:
    return np.concatenate([[seconds - part[1:].sum()], part[1:]])


def _stretched(part: Floats, seconds: float) -> Floats:
    total = float(part.sum())
    return part * (seconds / total) if total > 0 else np.full(len(part), seconds / max(len(part), 1))


def is_pause(symbol: str) -> bool:
    """Whether a phone carries no tone."""
    return symbol in (SILENCE, BREATH)


def filled_tones(tones: Sequence[float | None]) -> list[float]:
    """Return a tone for every note: a rest has that of the note after it, the last ones of the note before."""
    filled = list(tones)
    for place in reversed(range(len(filled) - 1)):
        if filled[place] is None:
            filled[place] = filled[place + 1]
    for place in range(1, len(filled)):
        if filled[place] is None:
            filled[place] = filled[place - 1]
    return [60.0 if tone is None else tone for tone in filled]
