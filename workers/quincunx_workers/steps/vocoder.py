"""Vocoder: a mel spectrogram and f0 become sound."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from quincunx_shared.errors import BadInput, BadVoicebank, StepFailed
from quincunx_shared.manifest import Input, Manifest, Option, Output
from quincunx_shared.step import Step, StepContext
from quincunx_workers.steps.vocoder_windows import can_be_resumed, run_in_windows

#: (base of the mel, base the vocoder reads) → factor of the logarithms.
MEL_FACTORS: Mapping[tuple[str, str], float] = {
    ("e", "e"): 1.0,
    ("10", "10"): 1.0,
    ("10", "e"): math.log(10.0),
    ("e", "10"): 1.0 / math.log(10.0),
}


def run(inputs: Mapping[str, Any], options: Mapping[str, Any], context: StepContext) -> npt.NDArray[np.float32]:
    """Return the sound, float32[T * hop_size], of float32[T, bins] and float32[T] in Hz."""
    mel, f0 = inputs["mel"], inputs["f0"]
    if len(mel) != len(f0):
        raise BadInput(f"the mel has {len(mel)} frames, f0 has {len(f0)}", where="f0")
    model = context.model(options["vocoder"])
    if model.unseeded:
        raise BadVoicebank(f"random nodes that no seed reaches: {', '.join(model.unseeded)}", where="vocoder model")
    if set(model.inputs) != {"mel", "f0"}:
        raise BadVoicebank(f"a vocoder takes mel and f0, not {', '.join(model.inputs)}", where="vocoder model")

    factor = np.float32(MEL_FACTORS[options["mel_base"], options["vocoder_mel_base"]])
    feeds = {
        "mel": (np.asarray(mel, dtype=np.float32) * factor)[np.newaxis],
        "f0": np.asarray(f0, dtype=np.float32)[np.newaxis],
    }
    if can_be_resumed(model):
        audio = run_in_windows(model, feeds, hop_size=options["hop_size"], seed=options["seed"])
    else:
        audio = np.asarray(model.run(feeds, seed=options["seed"])[0], dtype=np.float32).reshape(-1)
    if len(audio) != len(f0) * options["hop_size"]:
        raise StepFailed(f"{len(f0)} frames of {options['hop_size']} samples went in, {len(audio)} samples came out")
    if not np.isfinite(audio).all():
        raise StepFailed("the sound holds values that are no numbers")
    return audio


STEP = Step(
    Manifest(
        name="vocoder",
        version="1",
        summary="Turn a mel spectrogram and f0 into sound.",
        device="gpu",
        numeric=True,
        inputs=(
            Input(name="mel", type="mel", summary="float32[T, bins]"),
            Input(name="f0", type="f0", summary="float32[T], Hz."),
        ),
        outputs=(Output(name="audio", type="audio", summary="float32[T * hop_size]"),),
        options=(
            Option(name="vocoder", type="model", summary="Digest of the vocoder model."),
            Option(name="sample_rate", type="int", default=44100, minimum=8000, maximum=192000),
            Option(name="hop_size", type="int", default=512, minimum=1, maximum=8192),
            Option(name="head_frames", type="int", default=48, minimum=0, maximum=4096),
            Option(name="mel_base", type="str", default="e", choices=("e", "10"), summary="Logarithm of the mel."),
            Option(name="vocoder_mel_base", type="str", default="e", choices=("e", "10")),
            Option(name="seed", type="int", default=0, minimum=0, summary="Chooses the take, where the model draws."),
        ),
    ),
    run,
)
