"""`quincunx node drain`: a machine finishes what it has and takes no more."""

from __future__ import annotations

import click

from quincunx_orchestrator.cli.farm.options import farm_options


@click.group("node", short_help="Take a machine of the farm out of work, or back in.")
def command() -> None:
    """A drained node stays drained when it starts again, until `quincunx node undrain`."""


@command.command("drain", short_help="Let a node finish what it has and take no more.")
@click.argument("name")
@click.option("-r", "--reason", required=True, help="Why; `quincunx nodes` shows it to everybody.")
@farm_options
def drain(name: str, reason: str, **flags: str | None) -> None:
    """Drain the node NAME; several when NAME ends in *. What it has begun it finishes."""
    import getpass

    from quincunx_orchestrator.cli.farm.opening import open_desk

    with open_desk(**flags) as desk:
        for one in _matching(name, [one.node.name for one in desk.nodes.seen()]):
            desk.nodes.drain(one, reason, by=getpass.getuser())
            click.echo(f"{one} takes no more work.", err=True)


@command.command("undrain", short_help="Let it work again.")
@click.argument("name")
@farm_options
def undrain(name: str, **flags: str | None) -> None:
    """Let the node NAME take work again; several when NAME ends in *."""
    from quincunx_orchestrator.cli.farm.opening import open_desk

    with open_desk(**flags) as desk:
        for one in _matching(name, [one.node.name for one in desk.nodes.seen()]):
            told = "takes work again" if desk.nodes.undrain(one) else "was not drained"
            click.echo(f"{one} {told}.", err=True)


def _matching(pattern: str, names: list[str]) -> list[str]:
    from fnmatch import fnmatchcase

    from quincunx_shared.errors import NotOnFarm
    from quincunx_shared.hints import did_you_mean

    found = [name for name in names if fnmatchcase(name, pattern)]
    if not found:
        raise NotOnFarm(f"there is no such node{did_you_mean(pattern, names)}", where=pattern, remedy="quincunx nodes")
    return found
