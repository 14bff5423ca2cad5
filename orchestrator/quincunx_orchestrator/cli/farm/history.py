"""`quincunx history`: what the farm has done."""

from __future__ import annotations

import click

from quincunx_orchestrator.cli.documents import json_option
from quincunx_orchestrator.cli.farm.jobs import ENDED, Choice, limit_option, list_jobs, since_option
from quincunx_orchestrator.cli.farm.options import farm_options


@click.command("history", short_help="List the jobs that are over.")
@click.option("--state", "states", multiple=True, type=click.Choice(ENDED), help="Only these.")
@click.option("--tag", default="", help="Only those with this tag.")
@since_option
@limit_option
@json_option
@farm_options
def command(
    states: tuple[str, ...], tag: str, since: float | None, limit: int, as_json: bool, **flags: str | None
) -> None:
    """List the jobs that are over, the newest first."""
    list_jobs(Choice(states or ENDED, tag, since, limit), as_json, "No job is over.", flags)
