"""Stem: what one track has in the finished song, as a file of its own.

All stems of a song have its length and the gain its mix was given, but no limiter: where the limiter did not have
to act they sum to the song, up to the rounding of their samples.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from quincunx_shared.manifest import Input, Manifest, Option, Output
from quincunx_shared.step import Step, StepContext
from quincunx_workers.resampling import resampled
from quincunx_workers.sound_file import clipped_samples, encode
from quincunx_workers.steps.mix import Samples, mixed


def run(inputs: Mapping[str, Any], options: Mapping[str, Any], _context: StepContext) -> dict[str, Any]:
    """Return the encoded file of some phrases, float32[n] each, laid and levelled as in their song, and a report.

    `level` is what the song's master tells: `gain_db`, and the `samples` of the mix. A phrase that failed is None.
    """
    level = inputs["level"]
    window = (options["first_sample"], level["samples"])
    return levelled(mixed(inputs["audio"], inputs["placements"], options["sample_rate"], window), level, options)


def levelled(audio: Samples, level: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the file of float32[2, N] with the gain of its song, at the rate asked for, and the report."""
    rate = options["rate"] or options["sample_rate"]
    song = resampled(audio, options["sample_rate"], rate) * np.float32(10 ** (level["gain_db"] / 20))
    report = {
        "seconds": song.shape[1] / rate,
        "peak": round(float(np.max(np.abs(song), initial=0.0)), 6),
        "clipped": clipped_samples(song, options["subtype"]),
    }
    return {"file": encode(song, rate, options["container"], options["subtype"]), "report": report}


FILE_OUTPUTS = (
    Output(name="file", type="file", summary="The whole encoded file."),
    Output(name="report", type="report", summary="seconds, peak (linear), clipped."),
)

FILE_OPTIONS = (
    Option(name="sample_rate", type="int", default=44100, minimum=8000, maximum=192000, summary="Of the mix."),
    Option(name="rate", type="int", minimum=8000, maximum=192000, summary="Of the file; else that of the mix."),
    Option(name="container", type="str", default="wav", choices=("wav", "flac")),
    Option(name="subtype", type="str", default="PCM_16", choices=("PCM_16", "PCM_24", "FLOAT")),
)

STEP = Step(
    Manifest(
        name="stem",
        version="1",
        summary="Write what one track has in the finished song, before the limiter.",
        numeric=True,
        inputs=(
            Input(name="audio", type="audio", multi=True, partial=True, summary="The phrases, float32[n] each."),
            Input(
                name="placements", type="placements", summary="[start_sample, volume_db or null, pan], one a phrase."
            ),
            Input(name="level", type="level", summary="What the master did to the mix."),
        ),
        outputs=FILE_OUTPUTS,
        options=(
            Option(name="first_sample", type="int", default=0, minimum=0, summary="Where the song's window begins."),
            *FILE_OPTIONS,
        ),
    ),
    run,
)
