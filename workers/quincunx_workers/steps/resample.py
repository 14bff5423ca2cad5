"""Resample: a phrase of a voice that sings at another rate than the song."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from quincunx_shared.manifest import Input, Manifest, Option, Output
from quincunx_shared.step import Step, StepContext
from quincunx_workers.resampling import resampled


def run(inputs: Mapping[str, Any], options: Mapping[str, Any], _context: StepContext) -> npt.NDArray[np.float32]:
    """Return float32[round(n * to_rate / from_rate)]; its first sample is at the same moment."""
    return resampled(np.asarray(inputs["audio"], dtype=np.float32), options["from_rate"], options["to_rate"])


STEP = Step(
    Manifest(
        name="resample",
        version="1",
        summary="Bring a phrase to the sample rate of its song.",
        numeric=True,
        inputs=(Input(name="audio", type="audio", summary="float32[n]"),),
        outputs=(Output(name="audio", type="audio", summary="float32[m]"),),
        options=(
            Option(name="from_rate", type="int", default=44100, minimum=8000, maximum=192000),
            Option(name="to_rate", type="int", default=44100, minimum=8000, maximum=192000),
        ),
    ),
    run,
)
