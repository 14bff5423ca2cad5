"""Fetching the song that a job made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from quincunx_orchestrator.cli.job import write_whole
from quincunx_orchestrator.farm.order import Order, order_from_bytes
from quincunx_shared.errors import BadInput, FarmError
from quincunx_shared.payload import decode

if TYPE_CHECKING:
    from quincunx_orchestrator.farm.job import JobRecord
    from quincunx_orchestrator.farm.opening import OpenFarm
    from quincunx_orchestrator.farm.result import FarmResult

#: How a file of each format begins.
_BEGINNINGS = {".wav": (b"RIFF", b"RF64"), ".flac": (b"fLaC",)}


def order_of(farm: OpenFarm, record: JobRecord) -> Order:
    """What a job was asked to render."""
    return order_from_bytes(bytes(farm.recall.blobs.get(record.order)))


def fetch(farm: OpenFarm, record: JobRecord, result: FarmResult, output: Path) -> Path:
    """Write the song of a job that is over to a file, and return its path."""
    order = order_of(farm, record)
    # The song itself is what was asked for first; what was measured of it comes behind.
    ref = result.targets.get(order.targets[0])
    if ref is None:
        raise FarmError("this job made no song", where=record.render, remedy=f"quincunx show {record.render[:8]}")
    content: bytes = decode(ref, farm.recall.blobs.get(ref.digest) if ref.inline is None else ref.inline)
    expected = _BEGINNINGS.get(output.suffix.lower(), ())
    if expected and not content.startswith(expected):
        made = next((name for name, one in _BEGINNINGS.items() if content.startswith(one)), "of another format")
        raise BadInput(f"this job made a {made} file", where=str(output), remedy=f"name a file that ends in {made}")
    write_whole(output, content)
    return output
