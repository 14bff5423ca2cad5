"""Pitch as the bank's own model sings it: notes become a line with glides, overshoot and vibrato of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from quincunx_shared.errors import BadInput, StepFailed
from quincunx_shared.frames import FrameGrid, frames_of_seconds
from quincunx_shared.manifest import Input, Manifest, Output
from quincunx_shared.phrase import DrawnCurve, Melody, Timing
from quincunx_shared.step import Step, StepContext
from quincunx_workers.singing.prediction import encoded, run_model
from quincunx_workers.steps.diffusion import schedule_feeds
from quincunx_workers.steps.drawn import drawn_on_frames
from quincunx_workers.steps.frames import on_frames
from quincunx_workers.steps.model_feeds import language_ids, speaker_on_frames, token_ids
from quincunx_workers.steps.pitch import hertz
from quincunx_workers.steps.predicting import GRID_OPTIONS, IDS, ONE_SPEAKER, PITCH_OPTIONS


def run(inputs: Mapping[str, Any], options: Mapping[str, Any], context: StepContext) -> npt.NDArray[np.float32]:
    """Return float32[T], Hz. The model's line takes the place of drawn points and vibrato; PITD is added to it."""
    timing, melody = Timing.from_payload(inputs["timing"]), Melody.from_payload(inputs["melody"])
    grid = FrameGrid(*(options[name] for name in ("sample_rate", "hop_size", "head_frames", "tail_frames")))
    symbols, durations = inputs["ph_seq"], _durations(inputs, grid)
    notes, tones, rests = _notes(timing, melody, grid, int(durations.sum()))

    linguistic, model = context.model(options["linguistic"]), context.model(options["pitch"])
    feeds: dict[str, Any] = {
        "tokens": token_ids(symbols, inputs["phoneme_ids"])[np.newaxis],
        "languages": language_ids(symbols, inputs["language_ids"])[np.newaxis],
        "ph_dur": durations[np.newaxis],
    }
    level = options["expr"] if inputs["expr"] is None else inputs["expr"]
    encoder_out, masks = encoded(linguistic, symbols, feeds)
    flat = np.repeat(tones, notes)
    feeds |= {
        "encoder_out": encoder_out,
        "x_masks": masks,
        "note_midi": np.array([tones]),
        "note_rest": np.array([rests]),
        "note_dur": notes[np.newaxis],
        "note_glide": np.zeros((1, len(notes))),
        "pitch": flat[np.newaxis],
        "expr": on_frames(level, grid.frame_seconds, len(flat))[np.newaxis],
        "retake": np.ones((1, len(flat)), dtype=bool),
        **schedule_feeds(model, steps=options["steps"], depth=1.0),
    }
    if "spk_embed" in model.inputs:
        feeds["spk_embed"] = speaker_on_frames(model, options["speaker"], ONE_SPEAKER, len(flat), context)
    line = np.asarray(run_model(model, feeds, what="pitch", seed=options["seed"])[0], np.float64).reshape(-1)
    if len(line) != len(flat) or not np.isfinite(line).all():
        raise StepFailed(f"{len(flat)} frames went into the pitch model, {len(line)} came out, or no numbers")
    pitd = DrawnCurve() if inputs["pitd"] is None else DrawnCurve.from_payload(inputs["pitd"])
    return hertz(line * 100.0 + drawn_on_frames(pitd, timing, grid, len(line))).astype(np.float32)


def _durations(inputs: Mapping[str, Any], grid: FrameGrid) -> npt.NDArray[np.int64]:
    """The frames of every phone: as they come, or by DiffSinger's rule from seconds."""
    seconds = inputs["ph_seconds"]
    if seconds is None and inputs["ph_dur"] is None:
        raise BadInput("the pitch model wants to know how long each phone lasts", where="ph_dur")
    durations = np.asarray(inputs["ph_dur"]) if seconds is None else frames_of_seconds(seconds, grid.frame_seconds)
    if len(durations) != len(inputs["ph_seq"]):
        raise BadInput(f"{len(durations)} durations for {len(inputs['ph_seq'])} phonemes", where="ph_dur")
    return durations.astype(np.int64)


def _notes(
    timing: Timing, melody: Melody, grid: FrameGrid, count: int
) -> tuple[npt.NDArray[np.int64], list[float], list[bool]]:
    """Frames, tone and whether it rests of every note, with the rests between them; the frames sum to `count`.

    A rest has the tone of the note before it in its first half and that of the note after it in its second, so that
    no model glides to another tone before a note has ended, or comes from one when the next begins.
    """
    bounds, tones, rests = [0], list[float](), list[bool]()

    def add(end: int, tone: float, rest: bool) -> None:
        end = min(max(end, bounds[-1]), count)
        if end > bounds[-1]:
            bounds.append(end)
            tones.append(tone)
            rests.append(rest)

    for (start, stop), note in zip(timing.note_seconds(), melody.notes, strict=True):
        add((bounds[-1] + grid.frame_at(start)) // 2, tones[-1] if tones else note.tone, rest=True)
        add(grid.frame_at(start), note.tone, rest=True)
        add(grid.frame_at(stop), note.tone, rest=False)
    add(count, melody.notes[-1].tone, rest=True)
    return np.diff(bounds).astype(np.int64), tones, rests


STEP = Step(
    Manifest(
        name="predict_pitch",
        version="2",
        summary="Sings the notes as the bank's pitch model does; the drawn pitch curve is added.",
        device="gpu",
        numeric=True,
        inputs=(
            Input(name="timing", type="timing"),
            Input(name="melody", type="melody", summary="The tones of the notes."),
            Input(name="pitd", type="curve", required=False, summary="PITD, cents."),
            Input(name="ph_seq", type="ph_seq", summary="P names."),
            Input(name="ph_dur", type="ph_dur", required=False, summary="int64[P], frames."),
            Input(name="expr", type="level", required=False, summary="Number or {timestep, values}, 0 … 1."),
            Input(name="ph_seconds", type="seconds", required=False, summary="Seconds of each phoneme, instead."),
            *IDS,
        ),
        outputs=(Output(name="f0", type="f0", summary="float32[T], Hz."),),
        options=(*PITCH_OPTIONS, *GRID_OPTIONS),
    ),
    run,
)
