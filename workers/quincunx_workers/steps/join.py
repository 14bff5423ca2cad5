"""Join: segments laid one behind the other, cross-faded where they overlap, as DiffSinger's command line does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from quincunx_shared.errors import BadInput
from quincunx_shared.manifest import Input, Manifest, Option, Output
from quincunx_shared.step import Step, StepContext

Samples: TypeAlias = npt.NDArray[np.float32]

#: Players refuse an empty file.
EMPTY_SECONDS = 0.1


def run(inputs: Mapping[str, Any], options: Mapping[str, Any], _context: StepContext) -> Samples:
    """Return float32[1, N]: the segments at `offsets` seconds, one a segment, silence between them.

    Where a segment begins before the ones before it end, it is faded in and they are faded out, linearly over the
    whole overlap. Segments are taken in the order given. One that failed is None and leaves silence; what lies before
    second 0 is cut.
    """
    segments, offsets = inputs["audio"], inputs["offsets"]
    if len(segments) != len(offsets):
        raise BadInput(f"{len(segments)} segments but {len(offsets)} offsets", where="offsets")
    starts = [round(offset * options["sample_rate"]) for offset in offsets]
    heard = [(place, starts[place], one) for place, one in enumerate(segments) if one is not None]
    length = max([start + len(one) for _, start, one in heard], default=0)
    if length <= 0:
        length = round(EMPTY_SECONDS * options["sample_rate"])
    song = np.zeros((1, length), dtype=np.float32)
    end = 0
    for place, start, one in heard:
        end = _lay(song[0], end, max(start, 0), one[max(-start, 0) :], place)
    return song


def _lay(song: Samples, end: int, start: int, segment: Samples, place: int) -> int:
    """Write a segment into a song that goes to `end` so far, and return its new end."""
    overlap = end - start
    if overlap > len(segment):
        what = f"the segment ends {overlap - len(segment)} samples before those before it do"
        remedy = "order the segments by offset, and write what sounds together into files of its own"
        raise BadInput(what, where=f"[{place}].offset", remedy=remedy)
    if overlap > 0:
        rise = np.linspace(0, 1, overlap)  # in double precision, as the tool has it
        song[start:end] = (1 - rise) * song[start:end] + rise * segment[:overlap]
    fresh = max(overlap, 0)
    song[start + fresh : start + len(segment)] = segment[fresh:]
    return start + len(segment)


STEP = Step(
    Manifest(
        name="join",
        version="1",
        summary="Lay segments at their offsets and cross-fade them where they overlap.",
        inputs=(
            Input(name="audio", type="audio", multi=True, partial=True, summary="The segments, float32[n] each."),
            Input(name="offsets", type="offsets", summary="Seconds, one a segment."),
        ),
        outputs=(Output(name="audio", type="audio", summary="float32[1, N]"),),
        options=(Option(name="sample_rate", type="int", default=44100, minimum=8000, maximum=192000),),
    ),
    run,
)
