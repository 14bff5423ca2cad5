"""`quincunx cancel`: end jobs that are not over."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from quincunx_orchestrator.cli.documents import json_option
from quincunx_orchestrator.cli.farm.options import farm_options

if TYPE_CHECKING:
    from quincunx_orchestrator.cli.farm.opening import Desk
    from quincunx_orchestrator.farm.job import CancelAnswer
    from quincunx_shared.names import RenderId

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

    answers: list[tuple[str, CancelAnswer]] = []
    with open_desk(**flags) as desk:
        for name, render in _found(desk, ids):
            told = cancel(desk.jobs, desk.work, render, reason) if render else "not found"
            answers.append((render or name, told))
            if not as_json:
                click.echo(f"{short(render or name)}: {told}", err=True)
    if as_json:
        rows = [{"render": render, "answer": told} for render, told in answers]
        click.echo(json.dumps({"schema": 1, "answers": rows}, ensure_ascii=False))
    return max(CODES[told] for _, told in answers)


def _found(desk: Desk, ids: Sequence[str]) -> list[tuple[str, RenderId | None]]:
    """What was typed, and which job it is. Raises `BadInput` if it may be several, before any of them is ended."""
    from quincunx_shared.errors import NotOnFarm

    found: list[tuple[str, RenderId | None]] = []
    for name in ids:
        try:
            found.append((name, desk.job(name).render))
        except NotOnFarm:
            found.append((name, None))
    return found
