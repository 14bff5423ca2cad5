"""`quincunx show`: all about one job."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from quincunx_orchestrator.cli.farm.options import farm_options
from quincunx_orchestrator.cli.workspace import json_option

if TYPE_CHECKING:
    from quincunx_orchestrator.farm.job import JobRecord


@click.command("show", short_help="Say all about a job, and what it waits for.")
@click.argument("name", metavar="ID")
@json_option
@farm_options
def command(name: str, as_json: bool, **flags: str | None) -> None:
    """Say all about the job ID (its beginning will do), and what it waits for."""
    from quincunx_orchestrator.cli.farm.job_rows import job_row
    from quincunx_orchestrator.cli.farm.opening import open_desk
    from quincunx_orchestrator.cli.farm.waiting import reason_to_wait

    with open_desk(**flags) as desk:
        record = desk.job(name)
        waits = reason_to_wait(desk, record)
    if as_json:
        document = {"schema": 1, **job_row(record), "waits_for": waits or None}
        click.echo(json.dumps(document, ensure_ascii=False))
        return
    for line in _lines(record, waits):
        click.echo(line)


def _lines(record: JobRecord, waits: str) -> list[str]:
    from quincunx_orchestrator.cli.farm.job_rows import steps_text, took
    from quincunx_orchestrator.cli.farm.words import ago

    rows = {
        "job": record.render,
        "song": record.song,
        "state": record.state,
        "waits for": waits,
        "why": "" if waits else record.note,
        "error": str(record.result.get("error", "")),
        "class": record.priority,
        "tags": ", ".join(record.tags),
        "submitted": ago(record.submitted_at),
        "started": ago(record.started_at) if record.started_at else "",
        "ended": ago(record.ended_at) if record.ended_at else "",
        "took": took(record) if record.ended_at else "",
        "steps": steps_text(record.result) if record.result else "",
        "coordinator": record.owner,
        "attempts": str(record.generation) if record.generation > 1 else "",
    }
    return [f"{name:12} {text}" for name, text in rows.items() if text]
