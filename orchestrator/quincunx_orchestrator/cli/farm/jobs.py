"""`quincunx jobs`: what the farm has to do."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import click

from quincunx_orchestrator.cli.documents import json_option
from quincunx_orchestrator.cli.farm.options import farm_options

if TYPE_CHECKING:
    from quincunx_orchestrator.farm.job import JobRecord, JobState
    from quincunx_orchestrator.farm.job_store import RedisJobStore

#: As many records as are ever looked through.
MOST = 100_000

ACTIVE = ("running", "pending", "paused")
ENDED = ("succeeded", "partial", "failed", "cancelled", "superseded")

_AGE = re.compile(r"([0-9]{1,6})\s*(s|min|h|d)")
_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


class Since(click.ParamType):  # type: ignore[type-arg] # generic only since click 8.4
    """A moment: how long ago (`30min`, `2h`, `3d`), or a date (`2026-11-21`, with a time if need be)."""

    name = "since"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return seconds since 1970."""
        from datetime import datetime

        if isinstance(value, float):
            return value
        if found := _AGE.fullmatch(str(value)):
            return time.time() - float(found[1]) * _SECONDS[found[2]]
        try:
            return datetime.fromisoformat(str(value)).timestamp()
        except ValueError:
            self.fail(f"{value!r} is neither an age such as 30min, 2h or 3d nor a date such as 2026-11-21.", param, ctx)


limit_option = click.option("--limit", type=click.IntRange(1, 10000), default=50, show_default=True)
since_option = click.option(
    "--since", type=Since(), metavar="AGE|DATE", help="Only those submitted since: 2h, 3d, 2026-11-21."
)


@click.command("jobs", short_help="List the jobs that wait or run.")
@click.option("--state", "states", multiple=True, type=click.Choice(ACTIVE), help="Only these.")
@click.option("--tag", default="", help="Only those with this tag.")
@since_option
@limit_option
@json_option
@farm_options
def command(
    states: tuple[str, ...], tag: str, since: float | None, limit: int, as_json: bool, **flags: str | None
) -> None:
    """List the jobs that wait or run, the newest first. `quincunx show ID` says what one waits for."""
    list_jobs(Choice(states or ACTIVE, tag, since, limit), as_json, "Nothing waits and nothing runs.", flags)


@dataclass(frozen=True)
class Choice:
    """Which jobs to list."""

    states: Sequence[str]
    tag: str = ""
    since: float | None = None
    limit: int = 50

    def of(self, jobs: RedisJobStore) -> tuple[list[JobRecord], bool]:
        """The jobs chosen, the newest first, and whether there are more than the limit."""
        states = cast("Sequence[JobState]", self.states)
        # Tags are not indexed: what is looked through is bounded by how long records are kept.
        found = jobs.jobs(states, since=self.since or 0.0, limit=MOST if self.tag else self.limit + 1)
        chosen = [one for one in found if not self.tag or self.tag in one.tags]
        return chosen[: self.limit], len(chosen) > self.limit


def list_jobs(choice: Choice, as_json: bool, nothing: str, flags: dict[str, str | None]) -> None:
    """Print some jobs."""
    from quincunx_orchestrator.cli.farm.job_rows import job_lines, job_row
    from quincunx_orchestrator.cli.farm.opening import open_desk

    with open_desk(**flags) as desk:
        records, more = choice.of(desk.jobs)
    if as_json:
        rows = [job_row(one) for one in records]
        click.echo(json.dumps({"schema": 1, "jobs": rows, "more": more}, ensure_ascii=False))
        return
    for line in job_lines(records):
        click.echo(line)
    if not records:
        click.echo(nothing, err=True)
    if more:
        click.echo(f"Only the newest {len(records)} are listed; --limit lists more.", err=True)
