"""What each input of an acoustic model wants, made from a phrase.

A model is fed by the names its own graph declares, never by the flags of its configuration: exporters write flags for
inputs that the graph does not have. Ranges and formulas are those of the field's editor (OpenUTAU), so that a song
sounds the same here as where it was written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from quincunx_shared.errors import BadInput
from quincunx_shared.frames import FrameGrid
from quincunx_shared.phrase import DrawnCurve, Timing
from quincunx_workers.steps.drawn import drawn_on_frames
from quincunx_workers.steps.model_feeds import language_ids, token_ids, without_gaps

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Phrase:
    """The inputs and options of the acoustic step, and the grid they stand on."""

    inputs: Mapping[str, Any]
    options: Mapping[str, Any]
    timing: Timing | None
    grid: FrameGrid
    frame_count: int

    def drawn(self, name: str, default: float) -> Floats:
        """Return a drawn curve on the frames, in the units it was drawn in: float64[T]."""
        payload = self.inputs[name]
        if payload is None:
            return np.full(self.frame_count, default)
        if self.timing is None:
            raise BadInput("a drawn curve lies on ticks, and this phrase has none", where=name)
        return drawn_on_frames(DrawnCurve.from_payload(payload), self.timing, self.grid, self.frame_count)


def gender(phrase: Phrase) -> Floats:
    """Return the formant shift in the unit the model was trained with, 1 for its whole range: float64[T].

    GENC −100 is 12 semitones up, 100 is 12 down; the range of training is in semitones, down and up.
    """
    given = phrase.inputs["gender_frames"]
    if given is not None:
        return np.asarray(given, dtype=np.float64) + float(phrase.options["gender_shift"])
    drawn = phrase.drawn("gender", 0.0)
    up, down = phrase.options["gender_range_up"], abs(phrase.options["gender_range_down"])
    per_cent_up, per_cent_down = (0.12 / reach if reach else 0.0 for reach in (up, down))
    return -drawn * np.where(drawn < 0, per_cent_up, per_cent_down) + float(phrase.options["gender_shift"])


def velocity(phrase: Phrase) -> Floats:
    """Return how fast consonants are spoken, 1 is normal; VELC 200 is twice as fast: float64[T]."""
    given = phrase.inputs["velocity_frames"]
    if given is not None:
        return np.asarray(given, dtype=np.float64)
    return np.asarray(2.0 ** ((phrase.drawn("velocity", 100.0) - 100.0) / 100.0))


def _varied(name: str, neutral: float, per_unit: float) -> Callable[[Phrase], Floats]:
    """Return a feed that adds what was drawn to what the variance model predicted."""

    def feed(phrase: Phrase) -> Floats:
        predicted = phrase.inputs[f"{name}_pred"]
        if predicted is None:
            raise BadInput(
                f"this voice sings from a predicted {name} curve and none came",
                where=f"{name}_pred",
                remedy="connect the bank's variance model",
            )
        return np.asarray(predicted, dtype=np.float64) + (phrase.drawn(name, neutral) - neutral) * per_unit

    return feed


#: Per-phoneme and per-frame inputs by the names models give them. Decibels a unit: ENE, BREC, VOIC ±12 dB over 100.
FEEDS: Mapping[str, Callable[[Phrase], npt.NDArray[Any]]] = {
    "tokens": lambda phrase: token_ids(phrase.inputs["ph_seq"], phrase.inputs["phoneme_ids"]),
    "languages": lambda phrase: language_ids(phrase.inputs["ph_seq"], phrase.inputs["language_ids"]),
    "durations": lambda phrase: np.asarray(phrase.inputs["ph_dur"], dtype=np.int64),
    "f0": lambda phrase: without_gaps(phrase.inputs["f0"]),
    "gender": gender,
    "velocity": velocity,
    "energy": _varied("energy", 0.0, 0.12),
    "breathiness": _varied("breathiness", 0.0, 0.12),
    "voicing": _varied("voicing", 100.0, 0.12),
    "tension": _varied("tension", 0.0, 0.05),
}
