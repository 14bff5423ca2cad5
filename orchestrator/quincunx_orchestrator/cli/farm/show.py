"""`quincunx show`: all about one job."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from quincunx_orchestrator.cli.documents import json_option
from quincunx_orchestrator.cli.farm.options import farm_options

if TYPE_CHECKING:
    from quincunx_orchestrator.cli.farm.opening import Desk
    from quincunx_orchestrator.cli.farm.tellers import Tally
    from quincunx_orchestrator.core.segment_names import SegmentNames
    from quincunx_orchestrator.farm.job import JobRecord
    from quincunx_shared.events import StepFailed

#: A person who wants all failures asks `logs`.
MOST_FAILURES = 5


@dataclass(frozen=True)
class Shown:
    """A job with what it waits for, how far it is, and what failed in it."""

    record: JobRecord
    waits: str
    tally: Tally
    names: SegmentNames
    failed: list[StepFailed] = field(default_factory=list)


@click.command("show", short_help="Say all about a job, and what it waits for.")
@click.argument("name", metavar="ID")
@json_option
@farm_options
def command(name: str, as_json: bool, **flags: str | None) -> None:
    """Say all about the job ID (its beginning will do): what it waits for, how far it is, what failed in it."""
    from quincunx_orchestrator.cli.farm.opening import open_desk

    with open_desk(**flags) as desk:
        shown = _shown(desk, desk.job(name))
    if as_json:
        click.echo(json.dumps(_document(shown), ensure_ascii=False))
        return
    for line in _lines(shown):
        click.echo(line)


def _shown(desk: Desk, record: JobRecord) -> Shown:
    from quincunx_orchestrator.cli.farm.failures import Failures
    from quincunx_orchestrator.cli.farm.tellers import Tally
    from quincunx_orchestrator.cli.farm.waiting import reason_to_wait
    from quincunx_orchestrator.core.segment_names import NAMELESS
    from quincunx_shared.farm.redis_time import RedisTime

    tally, failed = Tally(), Failures()
    # Of a job that is over, the record tells the counts; its events may be many.
    if record.state not in ("succeeded", "cancelled", "superseded"):
        for _, event in desk.jobs.follow(record.render, 0, 0.0):
            tally.hear(event)
            failed.hear(event)
    names = _names(desk, record) if failed.last else NAMELESS
    silent = RedisTime(desk.redis).now() - tally.last_at
    return Shown(record, reason_to_wait(desk, record, silent), tally, names, list(failed.last.values()))


def _names(desk: Desk, record: JobRecord) -> SegmentNames:
    """What a person calls its phrases; nothing where the store cannot be read: Redis alone tells the rest."""
    from contextlib import closing

    from quincunx_orchestrator.cli.farm.naming import names_of_job
    from quincunx_orchestrator.core.segment_names import NAMELESS
    from quincunx_shared.errors import QuincunxError
    from quincunx_shared.stores.farm_store import store_from

    try:
        with closing(store_from(desk.settings)) as store:
            return names_of_job(store.blobs, record)
    except QuincunxError:
        return NAMELESS


def _document(shown: Shown) -> dict[str, Any]:
    from quincunx_orchestrator.cli.farm.job_rows import job_row

    names, tally = shown.names, shown.tally
    return {
        "schema": 1,
        **job_row(shown.record),
        "waits_for": shown.waits or None,
        "progress": tally.document() if tally.to_run and not shown.record.ended_at else None,
        "failed": [[one.segment, one.node, names.in_song(one.segment, one.error)] for one in shown.failed],
        "labels": {one.segment: names.labels[one.segment] for one in shown.failed if one.segment in names.labels},
    }


def _lines(shown: Shown) -> list[str]:
    from quincunx_orchestrator.cli.farm.job_rows import steps_text, took
    from quincunx_orchestrator.cli.farm.words import ago

    record = shown.record
    rows = {
        "job": record.render,
        "song": record.song,
        "state": record.state,
        "waits for": shown.waits,
        "why": "" if shown.waits else record.note,
        "error": str(record.result.get("error", "")),
        "class": record.priority,
        "tags": ", ".join(record.tags),
        "submitted": ago(record.submitted_at),
        "started": ago(record.started_at) if record.started_at else "",
        "ended": ago(record.ended_at) if record.ended_at else "",
        "took": took(record) if record.ended_at else "",
        "steps": steps_text(record.result) if record.ended_at else shown.tally.text(),
        "coordinator": record.owner,
        "attempts": str(record.generation) if record.generation > 1 else "",
    }
    return [f"{name:12} {text}" for name, text in rows.items() if text] + _failures(shown)


def _failures(shown: Shown) -> list[str]:
    from quincunx_orchestrator.cli.farm.naming import failure_lines

    rows = ((one.segment, one.node, one.error) for one in shown.failed)
    lines = failure_lines(shown.names, rows, shown.record.render, MOST_FAILURES)
    return [f"{'failed':12} {line}" for line in lines]
