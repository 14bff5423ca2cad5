"""`quincunx cancel`: end jobs that are not over."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from quincunx_orchestrator.cli.farm.options import farm_options
from quincunx_orchestrator.cli.workspace import json_option

if TYPE_CHECKING:
    from quincunx_orchestrator.farm.job import CancelAnswer

#: What cancel may answer, and the exit code: that a job was cancelled before is what was asked for.
CODES: Mapping[CancelAnswer, int] = {"cancelled": 0, "already cancelled": 0, "already ended": 1, "not found": 5}


@click.command("cancel", short_help="End jobs.")
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@click.option("-r", "--reason", default="", help="Why; `quincunx show` tells it.")
@json_option
@farm_options
def command(ids: tuple[str, ...], reason: str, as_json: bool, **flags: str | None) -> int:
    """End jobs, wherever they are. What they have computed stays in the cache. Exit code 5 if one is not known."""
    from quincunx_orchestrator.cli.farm.opening import open_desk
    from quincunx_orchestrator.cli.farm.words import short
    from quincunx_orchestrator.farm.stopping import cancel
    from quincunx_shared.errors import NotOnFarm
    from quincunx_shared.names import RenderId

    answers: dict[str, CancelAnswer] = {}
    with open_desk(**flags) as desk:
        for name in ids:
            try:
                render: str = desk.job(name).render
            except NotOnFarm:
                answers[name] = "not found"
            else:
                answers[render] = cancel(desk.jobs, desk.work, RenderId(render), reason)
    if as_json:
        rows = [{"render": render, "answer": answer} for render, answer in answers.items()]
        click.echo(json.dumps({"schema": 1, "answers": rows}, ensure_ascii=False))
    else:
        for render, answer in answers.items():
            click.echo(f"{short(render)}: {answer}", err=True)
    return max((CODES[answer] for answer in answers.values()), default=0)
