"""What people call the parts of a job, and what failed in it by those names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from quincunx_orchestrator.cli.farm.words import short
from quincunx_orchestrator.core.segment_names import NAMELESS, SegmentNames
from quincunx_orchestrator.farm.order_form import names_from_bytes
from quincunx_shared.errors import StoreError
from quincunx_shared.farm.wire import BadMessage
from quincunx_shared.names import RenderId, SegmentId

if TYPE_CHECKING:
    from quincunx_orchestrator.farm.job import JobRecord
    from quincunx_shared.ports import BlobStore


def names_of_job(blobs: BlobStore, record: JobRecord) -> SegmentNames:
    """What a person calls the segments of a job; nothing of one whose order is gone or cannot be read here."""
    try:
        return names_from_bytes(bytes(blobs.get(record.order)))
    except (StoreError, BadMessage):
        return NAMELESS


def failure_lines(
    names: SegmentNames, failed: Iterable[tuple[SegmentId, str, str]], render: RenderId, most: int
) -> list[str]:
    """What failed (segment, step, error) and why; of more than so many, how to see the rest."""
    every = list(failed)
    told = [
        f"{names.called(segment)}{f' ({node})' if node else ''}: {names.in_song(segment, error)}"
        for segment, node, error in every[:most]
    ]
    more = len(every) - len(told)
    return [*told, f"{more} more; `quincunx logs {short(render)} --failed`"] if more else told
