"""Room stem: what the reverb added to a mix, as a file of its own.

With it the stems of a song in a room sum to the song, as those of a dry one do without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from quincunx_shared.manifest import Input, Manifest, Option
from quincunx_shared.step import Step, StepContext
from quincunx_workers.steps.stem import FILE_OPTIONS, FILE_OUTPUTS, levelled


def run(inputs: Mapping[str, Any], options: Mapping[str, Any], _context: StepContext) -> dict[str, Any]:
    """Return the file of `wet` less `dry`, float32[2, N] and float32[2, M] with M ≤ N, and a report.

    `first_sample` is the first of them that is delivered.
    """
    dry, wet = inputs["dry"], inputs["wet"]
    room = np.array(wet, dtype=np.float32)
    room[:, : dry.shape[1]] -= dry
    first, level = options["first_sample"], inputs["level"]
    return levelled(room[:, first : first + level["samples"]], level, options)


STEP = Step(
    Manifest(
        name="room_stem",
        version="1",
        summary="Write what the reverb adds to the song, before the limiter.",
        numeric=True,
        inputs=(
            Input(name="dry", type="audio", summary="float32[2, M]"),
            Input(name="wet", type="audio", summary="float32[2, N]"),
            Input(name="level", type="level", summary="What the master did to the mix."),
        ),
        outputs=FILE_OUTPUTS,
        options=(
            Option(name="first_sample", type="int", default=0, minimum=0, summary="The first one delivered."),
            *FILE_OPTIONS,
        ),
    ),
    run,
)
