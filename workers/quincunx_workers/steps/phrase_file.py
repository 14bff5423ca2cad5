"""Phrase file: one phrase as it was sung, before volume, pan and mix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from quincunx_shared.manifest import Input, Manifest, Option, Output
from quincunx_shared.step import Step, StepContext
from quincunx_workers.resampling import resampled
from quincunx_workers.sound_file import clipped_samples, encode


def run(inputs: Mapping[str, Any], options: Mapping[str, Any], _context: StepContext) -> dict[str, Any]:
    """Return the encoded file of float32[n], one channel, and its length and clipped samples."""
    rate = options["rate"] or options["sample_rate"]
    audio = resampled(np.asarray(inputs["audio"], dtype=np.float32)[np.newaxis], options["sample_rate"], rate)
    report = {"samples": audio.shape[1], "clipped": clipped_samples(audio, options["subtype"])}
    return {"file": encode(audio, rate, options["container"], options["subtype"]), "report": report}


STEP = Step(
    Manifest(
        name="phrase_file",
        version="1",
        summary="Write one phrase as it was sung, before the mix.",
        numeric=True,
        inputs=(Input(name="audio", type="audio", summary="float32[n]"),),
        outputs=(
            Output(name="file", type="file", summary="The whole encoded file, one channel."),
            Output(name="report", type="report", summary="samples, clipped."),
        ),
        options=(
            Option(name="sample_rate", type="int", default=44100, minimum=8000, maximum=192000),
            Option(name="rate", type="int", minimum=8000, maximum=192000, summary="Of the file; else the song's."),
            Option(name="container", type="str", default="wav", choices=("wav", "flac")),
            Option(name="subtype", type="str", default="PCM_16", choices=("PCM_16", "PCM_24", "FLOAT")),
        ),
    ),
    run,
)
