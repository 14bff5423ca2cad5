"""`quincunx priority`: serve a job earlier or later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import click

from quincunx_orchestrator.cli.documents import answer, json_option
from quincunx_orchestrator.cli.farm.options import farm_options

if TYPE_CHECKING:
    from quincunx_orchestrator.farm.job import Priority

CLASSES = ("system", "user", "background")


@click.command("priority", short_help="Serve a job earlier or later.")
@click.argument("name", metavar="ID")
@click.argument("klass", metavar="CLASS", type=click.Choice(CLASSES))
@json_option
@farm_options
def command(name: str, klass: Any, as_json: bool, **flags: str | None) -> None:
    """Put a job into another CLASS: system is served before user, user before background.

    Of a running job, what is sent from now on goes to the queues of its class, and in a higher one what waits, too.
    """
    from quincunx_orchestrator.cli.farm.opening import open_desk, refuse_ended
    from quincunx_orchestrator.cli.farm.words import short

    with open_desk(**flags) as desk:
        record = desk.job(name)
        state = desk.jobs.rank(record.render, cast("Priority", klass))
        refuse_ended(record.render, state)
    document = {"render": record.render, "state": state, "priority": klass}
    answer(document, f"{short(record.render)} is of class {klass} now.", as_json=as_json)
