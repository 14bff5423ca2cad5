"""`quincunx explain`: why a job runs, or ran, each of its steps."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from quincunx_orchestrator.cli.farm.options import farm_options
from quincunx_orchestrator.cli.workspace import json_option

if TYPE_CHECKING:
    from quincunx_orchestrator.core.planner import StepKey
    from quincunx_orchestrator.farm.order import Order


@click.command("explain", short_help="Say why a job runs each of its steps.")
@click.argument("name", metavar="ID")
@json_option
@farm_options
def command(name: str, as_json: bool, **flags: str | None) -> None:
    """Say of the job ID which steps run, each below the step whose change it follows from.

    Of a job that is over: which steps ran. `quincunx why SONG` says it of a song that is not submitted yet.
    """
    from quincunx_orchestrator.cli.farm.fetching import order_of
    from quincunx_orchestrator.cli.farm.opening import find_job
    from quincunx_orchestrator.cli.farm.options import named_farm
    from quincunx_orchestrator.cli.farm.words import counted
    from quincunx_orchestrator.farm.opening import open_farm

    with open_farm(named_farm(**flags)) as farm:
        record = find_job(farm.jobs, name)
        order = order_of(farm, record)
        over = record.state in ("succeeded", "partial", "failed")
        reasons = farm.client().result(record.render).ran if over else order.reasons
    if as_json:
        rows = [[segment, node, reason] for (segment, node), reason in reasons.items()]
        click.echo(json.dumps({"schema": 1, "render": record.render, "state": record.state, "steps": rows}))
        return
    for line in _lines(order, reasons):
        click.echo(line)
    click.echo(f"{counted(len(reasons), 'step')} {'ran' if over else 'to run'}.", err=True)


def _lines(order: Order, reasons: Mapping[StepKey, str]) -> list[str]:
    from quincunx_orchestrator.cli.cause_tree import tree_lines
    from quincunx_shared.names import SONG

    lines: list[str] = []
    for segment in dict.fromkeys(segment for segment, _ in reasons):
        label = order.labels.get(segment, "")
        lines.append("The song" if segment == SONG else f"{segment}  {label}".rstrip())
        if segment in order.song.segments:
            lines += tree_lines(order.song.segments[segment].steps, segment, reasons)
    return lines
