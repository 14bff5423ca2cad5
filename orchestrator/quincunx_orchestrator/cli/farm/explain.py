"""`quincunx explain`: why a job runs, or ran, each of its steps."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from quincunx_orchestrator.cli.documents import json_option
from quincunx_orchestrator.cli.farm.options import farm_options

if TYPE_CHECKING:
    from quincunx_orchestrator.core.planner import StepKey
    from quincunx_orchestrator.farm.job import JobRecord
    from quincunx_orchestrator.farm.opening import OpenFarm
    from quincunx_orchestrator.farm.order import Order


@click.command("explain", short_help="Say why a job runs each of its steps.")
@click.argument("name", metavar="ID")
@json_option
@farm_options
def command(name: str, as_json: bool, **flags: str | None) -> None:
    """Say of the job ID which steps run, each below the step whose change it follows from.

    Of a job that is over: which steps ran, which failed, and which were skipped because of that. `quincunx why SONG`
    says it of a song that is not submitted yet.
    """
    from quincunx_orchestrator.cli.farm.fetching import order_of
    from quincunx_orchestrator.cli.farm.opening import find_job
    from quincunx_orchestrator.cli.farm.options import named_farm
    from quincunx_orchestrator.farm.opening import open_farm

    with open_farm(named_farm(**flags)) as farm:
        record = find_job(farm.jobs, name)
        order = order_of(farm, record)
        reasons, ending = _found(farm, record, order)
    if as_json:
        rows = [[segment, node, reason] for (segment, node), reason in reasons.items()]
        document = {"schema": 1, "render": record.render, "state": record.state, "steps": rows}
        click.echo(json.dumps(document, ensure_ascii=False))
        return
    for line in _lines(order, reasons):
        click.echo(line)
    click.echo(ending, err=True)


def _found(farm: OpenFarm, record: JobRecord, order: Order) -> tuple[Mapping[StepKey, str], str]:
    """Why each step ran or is to run, with what failed and what was skipped among them; and all of it, counted."""
    from quincunx_orchestrator.cli.farm.words import counted

    planned = counted(len(order.reasons), "step")
    if not record.ended_at:
        return order.reasons, f"{planned} to run."
    if record.state in ("cancelled", "superseded"):
        return order.reasons, f"{planned} were to run; the job was {record.state}."
    if error := record.result.get("error"):
        return {}, f"It failed as a whole: {error}"
    result = farm.client().result(record.render)
    failed = {key: f"FAILED: {order.names.in_song(key[0], error)}" for key, error in result.failed.items()}
    skipped = {key: f"skipped: {because.removeprefix(f'{key[0]}/')}" for key, because in result.skipped.items()}
    told = [f"{counted(len(result.ran), 'step')} ran", *_also("failed", failed), *_also("were skipped", skipped)]
    return {**result.ran, **failed, **skipped}, f"{', '.join(told)}."


def _also(what: str, steps: Mapping[StepKey, str]) -> list[str]:
    return [f"{len(steps)} {what}"] if steps else []


def _lines(order: Order, reasons: Mapping[StepKey, str]) -> list[str]:
    from quincunx_orchestrator.cli.cause_tree import tree_lines
    from quincunx_shared.names import SONG

    lines: list[str] = []
    for segment in dict.fromkeys(segment for segment, _ in reasons):
        lines.append("The song" if segment == SONG else order.names.called(segment))
        if segment in order.song.segments:
            lines += tree_lines(order.song.segments[segment].steps, segment, reasons)
    return lines
