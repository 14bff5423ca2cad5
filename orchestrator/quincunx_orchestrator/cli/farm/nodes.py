"""`quincunx nodes`: the machines of the farm."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from quincunx_orchestrator.cli.documents import json_option
from quincunx_orchestrator.cli.farm.options import farm_options

if TYPE_CHECKING:
    from quincunx_shared.farm.nodes import SeenNode


@click.command("nodes", short_help="List the coordinators and workers of the farm.")
@json_option
@farm_options
def command(as_json: bool, **flags: str | None) -> None:
    """List who is there, what each does, and who fell silent in the last day."""
    from quincunx_orchestrator.cli.farm.opening import open_desk

    with open_desk(**flags) as desk:
        seen = desk.nodes.seen()
    if as_json:
        click.echo(json.dumps({"schema": 1, "nodes": [_row(one) for one in seen]}, ensure_ascii=False))
        return
    for line in _lines(seen):
        click.echo(line)
    if not seen:
        click.echo(
            "No node has told of itself in the last day. `quincunx worker` and `coordinator` start one.", err=True
        )


def _lines(seen: list[SeenNode]) -> list[str]:
    from quincunx_orchestrator.cli.farm.words import table

    heads = ("NODE", "ROLE", "STATE", "DEVICE", "SLOTS", "VERSION", "DOING")
    rows = [
        (
            one.node.name,
            one.node.role,
            one.state,
            one.node.device or "–",
            str(one.node.slots),
            one.node.version,
            _doing(one),
        )
        for one in seen
    ]
    return table(heads, rows) if rows else []


def _doing(one: SeenNode) -> str:
    from quincunx_orchestrator.cli.farm.words import span

    if one.state == "silent":
        return f"not heard of for {span(one.silent_seconds)}"
    drained = f"takes no more: {one.drain.reason}" if one.drain else ""
    return "; ".join(part for part in (drained, *one.node.doing[:1]) if part) or "–"


def _row(one: SeenNode) -> dict[str, Any]:
    from dataclasses import asdict

    drain = None if one.drain is None else asdict(one.drain)
    return {**asdict(one.node), "state": one.state, "silent_seconds": round(one.silent_seconds, 3), "drain": drain}
