"""Acoustic: phonemes, their durations and f0 become a mel spectrogram."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from quincunx_shared.errors import BadInput, BadVoicebank, StepFailed
from quincunx_shared.frames import FrameGrid
from quincunx_shared.manifest import Input, Manifest, Option, Output
from quincunx_shared.phrase import Timing
from quincunx_shared.step import Step, StepContext
from quincunx_workers.steps.acoustic_feeds import FEEDS, Phrase
from quincunx_workers.steps.diffusion import schedule_feeds, without_schedule
from quincunx_workers.steps.model_feeds import speaker_on_frames


def run(inputs: Mapping[str, Any], options: Mapping[str, Any], context: StepContext) -> npt.NDArray[np.float32]:
    """Return the mel, float32[T, bins], of one phrase."""
    phrase = _phrase(inputs, options)
    model = context.model(options["acoustic"])
    feeds = schedule_feeds(model, steps=options["steps"], depth=options["depth"])

    for name in without_schedule(model.inputs):
        if name == "spk_embed":
            feeds[name] = speaker_on_frames(model, options["speaker"], inputs, phrase.frame_count, context)
        elif name in FEEDS:
            feeds[name] = FEEDS[name](phrase).astype(model.inputs[name][0])[np.newaxis]
        else:
            raise BadVoicebank(f"nobody knows what to feed to {name!r}", where="acoustic model")

    mel: npt.NDArray[np.float32] = np.asarray(model.run(feeds, seed=options["seed"])[0], dtype=np.float32)
    if mel.ndim != 3 or mel.shape[:2] != (1, phrase.frame_count):
        raise StepFailed(f"{phrase.frame_count} frames went in, a mel of shape {mel.shape} came out")
    if not np.isfinite(mel).all():
        raise StepFailed("the mel holds values that are no numbers")
    return mel.reshape(mel.shape[1:])


def _phrase(inputs: Mapping[str, Any], options: Mapping[str, Any]) -> Phrase:
    """Check that all lengths fit: a model fails on a mismatch deep inside, with a message that names no input."""
    symbols, durations, frames = inputs["ph_seq"], inputs["ph_dur"], len(inputs["f0"])
    if len(symbols) != len(durations):
        raise BadInput(f"{len(durations)} durations for {len(symbols)} phonemes", where="ph_dur")
    if int(np.sum(durations)) != frames or np.min(durations, initial=0) < 0:
        raise BadInput(f"the durations end at frame {int(np.sum(durations))}, f0 at {frames}", where="ph_dur")

    timing = None if inputs["timing"] is None else Timing.from_payload(inputs["timing"])
    grid = FrameGrid(*(options[name] for name in ("sample_rate", "hop_size", "head_frames", "tail_frames")))
    if timing is not None and frames != grid.frame_count(timing):
        raise BadInput(f"f0 has {frames} frames, the phrase {grid.frame_count(timing)}", where="f0")
    return Phrase(inputs, options, timing, grid, frames)


def _curve(name: str, summary: str) -> Input:
    return Input(name=name, type="curve", required=False, summary=summary)


def _predicted(name: str) -> Input:
    return Input(name=f"{name}_pred", type="frames", required=False, summary="float32[T] from the variance model.")


def _given(name: str) -> Input:
    summary = "float32[T] in the model's unit, instead of what is drawn."
    return Input(name=f"{name}_frames", type="frames", required=False, summary=summary)


STEP = Step(
    Manifest(
        name="acoustic",
        version="1",
        summary="Sing phonemes and pitch into a mel spectrogram.",
        device="gpu",
        numeric=True,
        inputs=(
            Input(name="ph_seq", type="phonemes", summary="P names."),
            Input(name="ph_dur", type="ph_dur", summary="int64[P], frames; their sum is T."),
            Input(name="f0", type="f0", summary="float32[T], Hz."),
            Input(name="timing", type="timing", required=False, summary="Where the drawn curves lie."),
            Input(name="phoneme_ids", type="ids", summary="Phoneme name → token."),
            Input(name="language_ids", type="ids", required=False, summary="Language prefix → id."),
            _curve("gender", "GENC, −100 (up) … 100 (down)."),
            _curve("velocity", "VELC, 0 … 200; 100 is normal."),
            _curve("breathiness", "BREC, −100 … 100."),
            _curve("tension", "TENC, −100 … 100."),
            _curve("energy", "ENE, −100 … 100."),
            _curve("voicing", "VOIC, 0 … 100."),
            *(_predicted(name) for name in ("energy", "breathiness", "voicing", "tension")),
            *(_given(name) for name in ("gender", "velocity")),
            Input(name="spk_mix", type="spk_mix", required=False, summary="float32[T, S]: the speakers' weights."),
            Input(name="speakers", type="digests", required=False, summary="Their S embeddings, by digest."),
        ),
        outputs=(Output(name="mel", type="mel", summary="float32[T, bins]"),),
        options=(
            Option(name="acoustic", type="model", summary="Digest of the acoustic model."),
            Option(name="seed", type="int", default=0, minimum=0, summary="Chooses the take, where the model draws."),
            Option(name="steps", type="int", default=20, minimum=1, maximum=1000, summary="Denoising steps."),
            Option(name="depth", type="float", default=1.0, minimum=0.0, maximum=1.0, summary="Shallow diffusion."),
            Option(name="sample_rate", type="int", default=44100, minimum=8000, maximum=192000),
            Option(name="hop_size", type="int", default=512, minimum=1, maximum=8192),
            Option(name="head_frames", type="int", default=48, minimum=0, maximum=4096),
            Option(name="tail_frames", type="int", default=16, minimum=0, maximum=4096),
            Option(name="gender_shift", type="float", default=0.0, minimum=-1.0, maximum=1.0),
            Option(name="gender_range_down", type="float", default=-5.0, summary="Semitones the model was trained on."),
            Option(name="gender_range_up", type="float", default=5.0, summary="Semitones the model was trained on."),
            Option(name="speaker", type="str", default="", summary="Digest of the speaker's .emb file."),
        ),
    ),
    run,
)
