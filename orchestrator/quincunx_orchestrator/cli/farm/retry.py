"""`quincunx retry`: run again what failed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from quincunx_orchestrator.cli.documents import json_option
from quincunx_orchestrator.cli.farm.jobs import Since
from quincunx_orchestrator.cli.farm.options import farm_options

if TYPE_CHECKING:
    from quincunx_orchestrator.farm.job import JobRecord
    from quincunx_orchestrator.farm.job_store import RedisJobStore

#: A job that succeeded has nothing left to run.
AGAIN = ("failed", "partial", "cancelled", "superseded")


@click.command("retry", short_help="Run again what failed.")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--failed", is_flag=True, help="Every job that failed, or only in parts.")
@click.option("--since", type=Since(), metavar="AGE|DATE", help="With --failed: submitted since.  [default: 1d]")
@json_option
@farm_options
def command(ids: tuple[str, ...], failed: bool, since: float | None, as_json: bool, **flags: str | None) -> None:
    """Submit jobs again as they were. What they have computed is recalled; only what failed or is missing runs."""
    from quincunx_orchestrator.cli.farm.options import named_farm
    from quincunx_orchestrator.farm.opening import open_farm
    from quincunx_orchestrator.farm.stopping import retry

    if bool(ids) == failed:
        raise click.UsageError("Which? Name jobs by their ids, or all that failed with --failed.")
    rows: list[dict[str, str]] = []
    with open_farm(named_farm(**flags)) as farm:
        chosen = _failed(farm.jobs, since) if failed else _named(farm.jobs, ids)
        try:
            for record in chosen:
                render = retry(farm.client(), record, farm.settings.max_jobs)
                rows.append({"render": render, "retries": record.render})
        finally:
            # A farm that takes no more half way has taken these.
            _tell(rows, as_json=as_json)
    if not rows and not as_json:
        click.echo("Nothing failed.", err=True)


def _tell(rows: list[dict[str, str]], *, as_json: bool) -> None:
    from quincunx_orchestrator.cli.farm.words import short

    if as_json:
        click.echo(json.dumps({"schema": 1, "retried": rows}, ensure_ascii=False))
        return
    for row in rows:
        click.echo(row["render"])
        click.echo(f"{short(row['retries'])} runs again as {short(row['render'])}.", err=True)


def _named(jobs: RedisJobStore, ids: tuple[str, ...]) -> list[JobRecord]:
    from quincunx_orchestrator.cli.farm.opening import find_job
    from quincunx_shared.errors import BadInput

    found = [find_job(jobs, name) for name in ids]
    for record in found:
        if record.state not in AGAIN:
            raise BadInput(f"this job is {record.state}: there is nothing to retry", where=record.render)
    return found


def _failed(jobs: RedisJobStore, since: float | None) -> list[JobRecord]:
    """The jobs that failed, the oldest first; of one song the latest alone, for the others are out of date."""
    import time

    begin = time.time() - 86400 if since is None else since
    latest: dict[str, JobRecord] = {}
    for record in jobs.jobs(since=begin, limit=10000):
        latest.setdefault(record.song_key or record.render, record)
    return [one for one in reversed(latest.values()) if one.state in ("failed", "partial")]
