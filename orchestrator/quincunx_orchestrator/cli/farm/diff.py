"""`quincunx diff`: what two jobs compute differently."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from quincunx_orchestrator.cli.documents import json_option
from quincunx_orchestrator.cli.farm.options import farm_options

if TYPE_CHECKING:
    from quincunx_orchestrator.farm.order import Order
    from quincunx_orchestrator.farm.order_diff import OrderDiff


@click.command("diff", short_help="Say what two jobs compute differently.")
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@json_option
@farm_options
def command(first: str, second: str, as_json: bool, **flags: str | None) -> None:
    """Say which phrases the jobs A and B do not share, and which steps of shared phrases compute something else."""
    from quincunx_orchestrator.cli.farm.fetching import order_of
    from quincunx_orchestrator.cli.farm.opening import find_job
    from quincunx_orchestrator.cli.farm.options import named_farm
    from quincunx_orchestrator.farm.opening import open_farm
    from quincunx_orchestrator.farm.order_diff import diff_orders

    with open_farm(named_farm(**flags)) as farm:
        records = [find_job(farm.jobs, name) for name in (first, second)]
        one, two = (order_of(farm, record) for record in records)
    difference = diff_orders(one, two)
    if as_json:
        document = {
            "schema": 1,
            "renders": [record.render for record in records],
            "only_first": list(difference.only_first),
            "only_second": list(difference.only_second),
            "changed": difference.changed,
            "same_steps": difference.same,
        }
        click.echo(json.dumps(document, ensure_ascii=False))
        return
    for line in _lines(difference, one, two):
        click.echo(line)
    if difference.is_empty:
        click.echo("Both compute the same.", err=True)


def _lines(difference: OrderDiff, one: Order, two: Order) -> list[str]:
    from quincunx_shared.names import SONG

    labels = {**one.names.labels, **two.names.labels}
    lines = [f"- {name}  {labels.get(name, '')}".rstrip() for name in difference.only_first]
    lines += [f"+ {name}  {labels.get(name, '')}".rstrip() for name in difference.only_second]
    for segment, steps in difference.changed.items():
        lines.append("~ the song" if segment == SONG else f"~ {segment}  {labels.get(segment, '')}".rstrip())
        lines += [f"    {node}: {told}" for node, told in steps.items()]
    return lines
