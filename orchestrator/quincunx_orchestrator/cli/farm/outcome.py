"""What a job came to, as a line, a document and an exit code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from quincunx_orchestrator.cli.farm.job_rows import job_row, song_name, steps_text, took
from quincunx_orchestrator.cli.farm.naming import failure_lines
from quincunx_orchestrator.cli.farm.words import short
from quincunx_orchestrator.cli.main import CANCELLED, ERROR, PARTIAL, PENDING

if TYPE_CHECKING:
    from quincunx_orchestrator.core.segment_names import SegmentNames
    from quincunx_orchestrator.farm.job import JobRecord, JobState
    from quincunx_orchestrator.farm.result import FarmResult

#: A person who wants to see more failures asks `logs`.
MOST_FAILURES = 20

CODES: Mapping[JobState, int] = {
    "succeeded": 0,
    "partial": PARTIAL,
    "failed": ERROR,
    "cancelled": CANCELLED,
    "superseded": CANCELLED,
    "pending": PENDING,
    "running": PENDING,
    "paused": PENDING,
}


def tell_outcome(record: JobRecord, result: FarmResult | None, names: SegmentNames) -> None:
    """Say on standard error what became of a job, and what failed."""
    took_text = took(record)
    after = f" after {took_text}" if took_text != "–" else ""
    steps = steps_text(record.result)
    note = f" ({record.note})" if record.note else ""
    told = f"{short(record.render)} {song_name(record.song)}: {record.state}{note}{after}"
    click.echo(f"{told}; {steps}." if steps != "–" else f"{told}.", err=True)
    failed = result.failed if result else {}
    rows = ((segment, node, error) for (segment, node), error in failed.items())
    for line in failure_lines(names, rows, record.render, MOST_FAILURES):
        click.echo(f"Failed: {line}", err=True)


def outcome_document(
    record: JobRecord, result: FarmResult | None, names: SegmentNames, output: str | None = None
) -> dict[str, Any]:
    """A job that is over, as a document."""
    failed = result.failed if result else {}
    return {
        "schema": 1,
        **job_row(record),
        "output": output,
        "failed": [[segment, node, names.in_song(segment, error)] for (segment, node), error in failed.items()],
        "labels": {segment: names.labels[segment] for segment, _ in failed if segment in names.labels},
    }
