"""Variance: phonemes and pitch become what an acoustic model sings from: energy, breathiness, voicing, tension."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from quincunx_shared.errors import BadInput, BadVoicebank, StepFailed
from quincunx_shared.manifest import Input, Manifest, Option, Output
from quincunx_shared.step import Model, Step, StepContext
from quincunx_workers.singing.phonology import Phonology
from quincunx_workers.steps.diffusion import schedule_feeds, without_schedule
from quincunx_workers.steps.model_feeds import language_ids, speaker_on_frames, token_ids, without_gaps

#: In the order of the model's `retake` input. Energy, breathiness and voicing are in dB.
CURVES = ("energy", "breathiness", "voicing", "tension")


def run(inputs: Mapping[str, Any], options: Mapping[str, Any], context: StepContext) -> dict[str, Any]:
    """Return each curve, float32[T]: as it is given, else as the bank predicts it, else None."""
    durations, f0 = np.asarray(inputs["ph_dur"], dtype=np.int64), inputs["f0"]
    if int(durations.sum()) != len(f0) or len(durations) != len(inputs["ph_seq"]):
        raise BadInput(f"the durations end at frame {int(durations.sum())}, f0 at {len(f0)}", where="ph_dur")
    per_frame = options["frames_per_frame"]
    own = durations if per_frame == 1.0 else _at_rate(durations, per_frame)
    seen = {**inputs, **{name: _stretched(inputs[name], int(own.sum())) for name in ("f0", "spk_mix", *CURVES)}}
    encoded = encode(seen, own, context.model(options["linguistic"]), context)
    predicted = _predict(encoded, seen, options, own, context.model(options["variance"]), context)
    back = {name: _stretched(curve, len(f0)) for name, curve in predicted.items()}
    return {name: back.get(f"{name}_pred") if inputs[name] is None else inputs[name] for name in CURVES}


def _at_rate(durations: npt.NDArray[np.int64], per_frame: float) -> npt.NDArray[np.int64]:
    """Return durations in the frames of a model that has others; what lasts at all keeps a frame in the whole."""
    ends = np.round(np.cumsum(durations) * per_frame).astype(np.int64)
    ends[-1] = max(ends[-1], 1)
    return np.diff(ends, prepend=np.int64(0))


def _stretched(curve: Any, count: int) -> Any:
    """Return float32[T] or float32[T, S] over the same time in `count` frames, linear between their middles."""
    if curve is None or len(curve) == count:
        return curve
    values = np.asarray(curve, dtype=np.float32)
    moments = (np.arange(count) + 0.5) * (len(values) / count) - 0.5
    columns = values[:, np.newaxis] if values.ndim == 1 else values
    drawn = [np.interp(moments, np.arange(len(values)), column) for column in columns.T]
    return np.stack(drawn, axis=1).astype(np.float32).reshape(count, *values.shape[1:])


def encode(
    inputs: Mapping[str, Any], durations: npt.NDArray[np.int64], linguistic: Model, context: StepContext
) -> npt.NDArray[np.float32]:
    """Return what the linguistic encoder makes of the phonemes and their durations: float32[1, P, hidden]."""
    feeds: dict[str, npt.NDArray[Any]] = {}
    for name in linguistic.inputs:
        if name == "tokens":
            feeds[name] = token_ids(inputs["ph_seq"], inputs["phoneme_ids"])
        elif name == "languages":
            feeds[name] = language_ids(inputs["ph_seq"], inputs["language_ids"])
        elif name == "ph_dur":
            feeds[name] = durations
        elif name in ("word_div", "word_dur"):
            sizes = word_sizes(inputs["ph_seq"], Phonology.from_payload(inputs["phonology"], context.file))
            sums = np.add.reduceat(durations, np.cumsum([0, *sizes[:-1]]))
            feeds[name] = np.array(sizes, dtype=np.int64) if name == "word_div" else sums
        else:
            raise BadVoicebank(f"nobody knows what to feed to {name!r}", where="linguistic model")
    outputs = linguistic.run({name: value[np.newaxis] for name, value in feeds.items()})
    return np.asarray(dict(zip(linguistic.outputs, outputs, strict=True))["encoder_out"], dtype=np.float32)


def word_sizes(symbols: list[str], phonology: Phonology) -> list[int]:
    """Return how many phonemes each word has: a word begins at a vowel or a pause, the first where all begins.

    So the silence at the start has the consonants behind it; that at the end belongs to the last word.
    """
    starts = [
        place
        for place, symbol in enumerate(symbols)
        if phonology.kind(symbol) in ("vowel", "silence") and 0 < place < len(symbols) - 1
    ]
    return [after - before for before, after in pairwise([0, *starts, len(symbols)])]


def _predict(
    encoded: npt.NDArray[np.float32],
    inputs: Mapping[str, Any],
    options: Mapping[str, Any],
    durations: npt.NDArray[np.int64],
    model: Model,
    context: StepContext,
) -> dict[str, npt.NDArray[np.float32]]:
    count = len(inputs["f0"])
    known = [name for name in CURVES if f"{name}_pred" in model.outputs]
    feeds: dict[str, Any] = schedule_feeds(model, steps=options["steps"], depth=1.0)
    for name in without_schedule(model.inputs):
        if name == "encoder_out":
            feeds[name] = encoded
        elif name == "ph_dur":
            feeds[name] = durations[np.newaxis]
        elif name == "pitch":
            feeds[name] = (69 + 12 * np.log2(without_gaps(inputs["f0"]) / 440)).astype(np.float32)[np.newaxis]
        elif name in CURVES:
            given = inputs[name]
            feeds[name] = (np.zeros(count) if given is None else np.asarray(given)).astype(np.float32)[np.newaxis]
        elif name == "retake":
            again = np.array([inputs[one] is None for one in known])
            feeds[name] = np.broadcast_to(again, (1, count, len(known))).copy()
        elif name == "spk_embed":
            feeds[name] = speaker_on_frames(model, options["speaker"], inputs, count, context)
        else:
            raise BadVoicebank(f"nobody knows what to feed to {name!r}", where="variance model")
    return _curves(dict(zip(model.outputs, model.run(feeds, seed=options["seed"]), strict=True)), count)


def _curves(outputs: Mapping[str, Any], count: int) -> dict[str, npt.NDArray[np.float32]]:
    curves = {name: np.asarray(value, dtype=np.float32).reshape(-1) for name, value in outputs.items()}
    for name, curve in curves.items():
        if len(curve) != count or not np.isfinite(curve).all():
            raise StepFailed(f"{name} has {len(curve)} values for {count} frames, or some that are no numbers")
    return curves


STEP = Step(
    Manifest(
        name="variance",
        version="1",
        summary="Predict energy, breathiness, voicing and tension from phonemes and pitch.",
        device="gpu",
        numeric=True,
        inputs=(
            Input(name="ph_seq", type="ph_seq", summary="P names."),
            Input(name="ph_dur", type="ph_dur", summary="int64[P], frames; their sum is T."),
            Input(name="f0", type="f0", summary="float32[T], Hz."),
            Input(name="phoneme_ids", type="ids", summary="Phoneme name → token of these models."),
            Input(name="language_ids", type="ids", required=False, summary="Language prefix → id."),
            Input(name="phonology", type="phonology", summary="Which phonemes are vowels."),
            *(Input(name=name, type="frames", required=False, summary="float32[T], instead.") for name in CURVES),
            Input(name="spk_mix", type="spk_mix", required=False, summary="float32[T, S]: the speakers' weights."),
            Input(name="speakers", type="digests", required=False, summary="Their S embeddings, by digest."),
        ),
        outputs=tuple(Output(name=name, type="frames", summary="float32[T], or None.") for name in CURVES),
        options=(
            Option(name="linguistic", type="model", summary="Digest of the encoder."),
            Option(name="variance", type="model", summary="Digest of the variance model."),
            Option(name="seed", type="int", default=0, minimum=0, summary="Chooses the take, where the model draws."),
            Option(name="steps", type="int", default=20, minimum=1, maximum=1000, summary="Denoising steps."),
            Option(name="speaker", type="str", default="", summary="Digest of the speaker's .emb file."),
            Option(
                name="frames_per_frame",
                type="float",
                default=1.0,
                minimum=0.01,
                maximum=100.0,
                summary="Frames of these models in a frame of the acoustic one.",
            ),
        ),
    ),
    run,
)
