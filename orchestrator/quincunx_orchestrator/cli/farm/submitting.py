"""Carrying out a submission: read, plan, submit, and, if asked to, follow and fetch."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from quincunx_orchestrator.cli import telling
from quincunx_orchestrator.cli.farm.fetching import fetch
from quincunx_orchestrator.cli.farm.following import StillPending, follow
from quincunx_orchestrator.cli.farm.opening import find_job
from quincunx_orchestrator.cli.farm.options import named_farm
from quincunx_orchestrator.cli.farm.outcome import CODES, outcome_document, tell_outcome
from quincunx_orchestrator.cli.farm.room import FarmRoom, open_farm_room
from quincunx_orchestrator.cli.farm.tellers import teller_for
from quincunx_orchestrator.cli.farm.words import counted, short
from quincunx_orchestrator.cli.job import Job, check_output, read_song
from quincunx_orchestrator.cli.main import INTERRUPTED, PENDING
from quincunx_orchestrator.cli.shared_options import Choices
from quincunx_orchestrator.cli.tasks import wishes_from
from quincunx_orchestrator.core.lanes import Barrier
from quincunx_orchestrator.core.segment_names import SegmentNames
from quincunx_orchestrator.farm.opening import OpenFarm, open_farm
from quincunx_orchestrator.farm.submission import Submission
from quincunx_orchestrator.installed import cutter_named
from quincunx_shared.farm.redis_client import is_outage

if TYPE_CHECKING:
    from quincunx_orchestrator.farm.client import Submitted
    from quincunx_orchestrator.farm.job import JobRecord
    from quincunx_shared.names import RenderId


@dataclass(frozen=True)
class Errand:
    """What `submit` was asked: which song, and what to do once it is accepted."""

    song: Path
    output: Path | None
    container: str
    watch: bool
    wait: bool
    timeout: float | None
    quiet: bool = False

    @property
    def place(self) -> Path:
        """Where the song would go: its format follows from it."""
        return self.output or Path(f"song.{self.container}")


def run_errand(
    errand: Errand, choices: Choices, cache_dir: Path | None, how: dict[str, Any], flags: dict[str, str | None]
) -> int:
    """Submit a song, and return the exit code."""
    settings = named_farm(**flags)
    workspace = choices.workspace(cache_dir)
    wishes = wishes_from(errand.place, choices)
    if errand.output is not None:
        check_output(errand.output)
    score, cutter = read_song(errand.song, workspace.isolation), cutter_named(choices.cut, workspace.isolation)
    submission = Submission(
        priority=how["priority"],
        tags=how["tags"],
        idempotency_key=how["idempotency_key"],
        supersede=not how["keep_older"],
        barrier=Barrier(how["barrier"]),
        limit=settings.max_jobs,
    )
    with open_farm(settings) as farm, open_farm_room(workspace, farm, submission) as room:
        job = room.job(errand.song, score, wishes, cutter)
        telling.say_notices(job, choices.quiet)
        if choices.dry_run:
            told = telling.show_plan(job, job.plan(), choices)
            telling.print_documents([told], choices, together=False)
            return told.code
        if choices.explain:
            telling.explain(job, job.plan())
        return _submit(farm, room, job, errand, choices)


def _submit(farm: OpenFarm, room: FarmRoom, job: Job, errand: Errand, choices: Choices) -> int:
    submitted = room.submit(job)
    job.remember_submitted()
    follows = errand.watch or errand.wait
    if not (choices.as_json and follows):
        _tell_submitted(submitted, choices)
    if not follows:
        return 0
    return follow_to_end(farm, submitted.render, errand, job.names, as_json=choices.as_json)


def follow_to_end(farm: OpenFarm, render: RenderId, errand: Errand, names: SegmentNames, *, as_json: bool) -> int:
    """Follow a job, fetch what came of it, tell it, and return the exit code."""
    try:
        with teller_for(names, quiet=errand.quiet or not errand.watch, as_json=as_json and errand.watch) as teller:
            follow(farm, render, teller, errand.timeout, lambda: farm.is_accepted(render))
    except KeyboardInterrupt:
        again = f"`quincunx watch {short(render)}` follows it again, `quincunx cancel {short(render)}` ends it"
        click.echo(f"Detached: the job goes on. {again}.", err=True)
        _tell_unfinished(farm, render, names, as_json=as_json)
        return INTERRUPTED
    except StillPending:
        click.echo(f"Not over after {errand.timeout:g} s. `quincunx show {short(render)}` says why.", err=True)
        _tell_unfinished(farm, render, names, as_json=as_json)
        return PENDING
    return tell_end(farm, find_job(farm.jobs, render), errand, names, as_json=as_json)


def _tell_unfinished(farm: OpenFarm, render: RenderId, names: SegmentNames, *, as_json: bool) -> None:
    """Print what is known of a job that is left to itself, where a document is asked for."""
    if not as_json:
        return
    try:
        record = farm.jobs.get(render)
    except Exception as error:
        if not is_outage(error):
            raise
        record = None
    # It was accepted; of what Redis lost, or does not say, no more is known.
    known = outcome_document(record, None, names) if record else {"schema": 1, "render": render, "state": "pending"}
    click.echo(json.dumps(known, ensure_ascii=False))


def tell_end(farm: OpenFarm, record: JobRecord, errand: Errand, names: SegmentNames, *, as_json: bool) -> int:
    """Fetch what came of a job that is over, tell it, and return the exit code."""
    result = farm.client().result(record.render) if CODES[record.state] in (0, 1, 3) else None
    written = None
    if result is not None and errand.output is not None and record.state != "failed":
        written = str(fetch(farm, record, result, errand.output))
    if as_json:
        click.echo(json.dumps(outcome_document(record, result, names, written), ensure_ascii=False))
        return CODES[record.state]
    if written is not None:
        click.echo(written)
    if not (errand.quiet and record.state == "succeeded"):
        tell_outcome(record, result, names)
    return CODES[record.state]


def _tell_submitted(submitted: Submitted, choices: Choices) -> None:
    plan = submitted.plan
    recalled = len(plan.recalled) + plan.covered
    if choices.as_json:
        document = {
            "schema": telling.SCHEMA,
            "render": submitted.render,
            "existing": submitted.existing,
            "done": submitted.done,
            "superseded": list(submitted.superseded),
            "steps_to_run": len(plan.to_run),
            "steps_recalled": recalled,
        }
        click.echo(json.dumps(document, ensure_ascii=False))
        return
    click.echo(submitted.render)
    if choices.quiet:
        return
    if submitted.done:
        click.echo(f"Done: nothing changed, {recalled} recalled.", err=True)
    elif submitted.existing:
        click.echo("This is being rendered already; that is its id.", err=True)
    else:
        click.echo(f"Submitted: {counted(len(plan.to_run), 'step')} to run, {recalled} recalled.", err=True)
    for older in submitted.superseded:
        click.echo(f"It takes the place of {short(older)}.", err=True)
