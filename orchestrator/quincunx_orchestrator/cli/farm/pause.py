"""`quincunx pause`: let a job wait until it is resumed."""

from __future__ import annotations

import click

from quincunx_orchestrator.cli.documents import answer, json_option
from quincunx_orchestrator.cli.farm.options import farm_options


@click.command("pause", short_help="Let a job wait until it is resumed.")
@click.argument("name", metavar="ID")
@click.option("-r", "--reason", default="", help="Why; `quincunx show` tells it.")
@json_option
@farm_options
def command(name: str, reason: str, as_json: bool, **flags: str | None) -> None:
    """Let a job wait. The steps that are being computed end, and nothing more of it begins."""
    from quincunx_orchestrator.cli.farm.opening import open_desk, refuse_ended
    from quincunx_orchestrator.cli.farm.words import short
    from quincunx_orchestrator.farm.stopping import pause

    with open_desk(**flags) as desk:
        record = desk.job(name)
        state = pause(desk.jobs, desk.work, record.render, reason)
        refuse_ended(record.render, state)
    told = "was paused already" if state == "paused" else f"waits until `quincunx resume {short(record.render)}`"
    document = {"render": record.render, "state": "paused"}
    answer(document, f"{short(record.render)} {told}.", as_json=as_json)
