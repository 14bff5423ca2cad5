"""Frames: what a transcript says in seconds, laid on the frames of a voice.

The formulas are those of DiffSinger's own command line, so that a .ds file sounds here as it does there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from quincunx_shared.errors import BadInput
from quincunx_shared.frames import frames_of_seconds
from quincunx_shared.manifest import Input, Manifest, Option, Output
from quincunx_shared.step import Step, StepContext

Frames: TypeAlias = npt.NDArray[np.float32]

#: Curves by the names of a transcript, which are those of the outputs too.
CURVES = ("gender", "velocity", "energy", "breathiness", "voicing", "tension")

#: Fifteen minutes of the usual frames. A phrase is sung in one piece, and its spectrogram must fit into memory.
MOST_FRAMES = 80_000


def run(inputs: Mapping[str, Any], options: Mapping[str, Any], _context: StepContext) -> Mapping[str, Any]:
    """Return `ph_dur`, int64[P], whose sum is T, and each curve that is given, float32[T]; None for those that are not.

    `spk_mix` is float32[T, S], each row with the sum 1, in the order of `speakers`.
    """
    timestep = options["hop_size"] / options["sample_rate"]
    durations = frames_of_seconds(inputs["ph_dur"], timestep)
    count = int(durations.sum())
    if not 0 < count <= MOST_FRAMES:
        raise BadInput(f"the phonemes last {count} frames, which must be 1 to {MOST_FRAMES}", where="ph_dur")
    levels = inputs["curves"] or {}
    curves = {name: on_frames(levels[name], timestep, count) if name in levels else None for name in CURVES}
    f0 = inputs["f0_seq"]
    pitch = _held(np.asarray(inputs["f0_pred"]), count) if f0 is None else on_frames(f0, timestep, count)
    return {"ph_dur": durations, "f0": pitch, "spk_mix": _speaker_mix(inputs, durations, timestep), **curves}


def on_frames(level: Any, timestep: float, count: int) -> Frames:
    """Return a level on the frames: float32[count]. A number stands everywhere; a curve has a time step of its own.

    A curve is linear between its points, starts with the segment, and is cut at its end or held there.
    """
    if not isinstance(level, Mapping):
        return np.full(count, level, dtype=np.float32)
    values, own = np.asarray(level["values"], dtype=np.float32), float(level["timestep"])
    moments = np.arange(0, (len(values) - 1) * own, timestep)[:count]
    drawn = np.interp(moments, own * np.arange(len(values)), values).astype(np.float32)
    return _held(drawn if len(drawn) else values[-1:], count)


def _held(values: npt.NDArray[Any], count: int) -> Frames:
    """Return the first values, and the last one for as long as they are too few."""
    kept = values[:count].astype(np.float32)
    return np.concatenate([kept, np.full(count - len(kept), kept[-1], dtype=np.float32)])


def _speaker_mix(inputs: Mapping[str, Any], durations: npt.NDArray[np.int64], timestep: float) -> Frames | None:
    """Return the weight of every speaker on every frame; a mix for phonemes counts where there is none for frames."""
    mix = inputs["speaker_mix"]
    if mix is None:
        return None
    count = int(durations.sum())
    if mix["by"] == "frame":
        columns = [on_frames(level, timestep, count) for level in mix["weights"]]
    else:
        weights = [np.broadcast_to(np.asarray(level, dtype=np.float32), len(durations)) for level in mix["weights"]]
        columns = [np.repeat(column, durations) for column in weights]
    table = np.stack(columns, axis=1)
    total = table.sum(axis=1, keepdims=True)
    if (table < 0).any() or not (total > 0).all():
        frame = int(np.argmin(np.where((table < 0).any(axis=1), -1.0, total[:, 0])))
        raise BadInput(f"the weights at {frame * timestep:.3f} s are negative or all zero", where="spk_mix")
    return np.asarray(table / total, dtype=np.float32)


STEP = Step(
    Manifest(
        name="frames",
        version="1",
        summary="Lay durations and curves given in seconds on the frames of a voice.",
        inputs=(
            Input(name="ph_dur", type="seconds", summary="Seconds of each phoneme."),
            Input(name="f0_seq", type="level", required=False, summary="{timestep, values}, Hz."),
            Input(name="f0_pred", type="f0", required=False, summary="float32[n], Hz, where no f0_seq is given."),
            Input(name="curves", type="levels", required=False, summary="Name → number or {timestep, values}."),
            Input(name="speaker_mix", type="speaker_mix", required=False, summary="{by: frame | phoneme, weights}."),
        ),
        outputs=(
            Output(name="ph_dur", type="ph_dur", summary="Frames of each phoneme, int64[P]."),
            Output(name="f0", type="f0", summary="float32[T], Hz."),
            *(Output(name=name, type="frames", summary="float32[T], or None.") for name in CURVES),
            Output(name="spk_mix", type="spk_mix", summary="float32[T, S], or None."),
        ),
        options=(
            Option(name="sample_rate", type="int", default=44100, minimum=8000, maximum=192000),
            Option(name="hop_size", type="int", default=512, minimum=1, maximum=8192),
        ),
    ),
    run,
)
