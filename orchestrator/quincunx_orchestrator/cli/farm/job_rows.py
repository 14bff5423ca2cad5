"""Jobs as lines of a table and as documents."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from quincunx_orchestrator.cli.farm.words import ago, moment_text, short, span, table

if TYPE_CHECKING:
    from quincunx_orchestrator.farm.job import JobRecord

HEADS = ("ID", "STATE", "CLASS", "SONG", "STEPS", "SUBMITTED", "TOOK")


def job_lines(records: Sequence[JobRecord]) -> list[str]:
    """A table of jobs. What their steps came to is known only of those that are over."""
    over = any(one.ended_at for one in records)
    heads = [name for name in HEADS if over or name != "STEPS"]
    rows = [[cells[name] for name in heads] for cells in map(_cells, records)]
    return table(heads, rows) if rows else []


def _cells(record: JobRecord) -> dict[str, str]:
    return {
        "ID": short(record.render),
        "STATE": record.state,
        "CLASS": record.priority,
        "SONG": song_name(record.song),
        "STEPS": steps_text(record.result),
        "SUBMITTED": ago(record.submitted_at),
        "TOOK": f"{span(time.time() - record.started_at)} so far" if record.state == "running" else took(record),
    }


def job_row(record: JobRecord) -> dict[str, Any]:
    """A job as a document."""
    return {
        "render": record.render,
        "state": record.state,
        "song": record.song,
        "priority": record.priority,
        "tags": list(record.tags),
        "barrier": record.barrier,
        "submitted_at": moment_text(record.submitted_at),
        "started_at": moment_text(record.started_at),
        "ended_at": moment_text(record.ended_at),
        "owner": record.owner or None,
        "attempts": record.generation,
        "note": record.note or None,
        "steps": dict(record.result.get("counts", {})),
        "error": record.result.get("error"),
    }


def steps_text(result: Mapping[str, Any]) -> str:
    """`12 run, 40 recalled, 2 failed`; "–" while it is not over."""
    counts = result.get("counts") or {}
    told = [f"{counts[name]} {name}" for name in ("run", "recalled", "failed", "skipped") if counts.get(name)]
    return ", ".join(told) or "–"


def took(record: JobRecord) -> str:
    """How long it ran; "–" if it never began or is not over."""
    if not record.started_at or not record.ended_at:
        return "–"
    return span(record.ended_at - record.started_at)


def song_name(song: str) -> str:
    """The file's name: where it lies is another machine's affair."""
    return song.replace("\\", "/").rpartition("/")[2] or "–"
