"""The list beside phrase files: where each of them stands in the song, and what it sings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quincunx_orchestrator.core.segment import Segment
from quincunx_orchestrator.song.assembly import Assembly
from quincunx_shared.canonical import Json
from quincunx_shared.names import Address, PortKey
from quincunx_shared.payload import decode

#: The version of the list.
SCHEMA = 1

LYRICS, PHONEMES = PortKey("phonemize", "lyrics"), PortKey("acoustic", "ph_seq")


def phrase_list(assembly: Assembly, reports: Mapping[Address, Any]) -> dict[str, Json]:
    """Return the list of the phrase files that were made; `reports` holds what their steps told.

    `start_sample` and `start_seconds` count from the start of the delivered song, the former at the rate of the
    files. A phrase may start before it: what lies there is cut from the song, but not from the phrase's file.
    """
    rate = assembly.delivery.rate or assembly.sample_rate
    files = [one for one in assembly.deliverables if one.kind == "phrase"]
    rows: list[Json] = []
    for placed, made in zip(assembly.placed, files, strict=True):
        report = reports.get(made.report)
        if report is None:
            continue
        start = placed.start_sample - assembly.window.first_sample
        rows.append(
            {
                "number": placed.number,
                "name": placed.segment.id,
                "file": made.file_name,
                "track": placed.track + 1,
                "label": placed.segment.label,
                "sings": words_of(placed.segment),
                "start_sample": round(start * rate / assembly.sample_rate),
                "start_seconds": round(start / assembly.sample_rate, 6),
                "samples": report["samples"],
                "seconds": round(report["samples"] / rate, 6),
            }
        )
    return {"schema": SCHEMA, "sample_rate": rate, "phrases": rows}


def words_of(segment: Segment) -> str:
    """Return all that a phrase sings, as it was written: its lyrics, else its phonemes."""
    lyrics, symbols = (segment.inputs.get(port) for port in (LYRICS, PHONEMES))
    if lyrics is not None:
        notes = decode(lyrics.ref, lyrics.content)["notes"]
        return " ".join(text for text, _, extension in notes if not extension)
    return " ".join(decode(symbols.ref, symbols.content)) if symbols is not None else ""
