"""`quincunx resume`: let a paused job go on."""

from __future__ import annotations

import click

from quincunx_orchestrator.cli.documents import answer, json_option
from quincunx_orchestrator.cli.farm.options import farm_options


@click.command("resume", short_help="Let a paused job go on.")
@click.argument("name", metavar="ID")
@json_option
@farm_options
def command(name: str, as_json: bool, **flags: str | None) -> None:
    """Let a paused job go on where it was."""
    from quincunx_orchestrator.cli.farm.opening import open_desk, refuse_ended
    from quincunx_orchestrator.cli.farm.words import short

    with open_desk(**flags) as desk:
        record = desk.job(name)
        state = desk.jobs.resume(record.render)
        refuse_ended(record.render, state)
    told = "goes on" if state == "paused" else f"was not paused: it is {state}"
    document = {"render": record.render, "state": "pending" if state == "paused" else state}
    answer(document, f"{short(record.render)} {told}.", as_json=as_json)
