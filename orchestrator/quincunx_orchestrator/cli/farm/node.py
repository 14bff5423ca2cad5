"""`quincunx node drain`: a machine finishes what it has and takes no more."""

from __future__ import annotations

import click

from quincunx_orchestrator.cli.documents import answer, json_option
from quincunx_orchestrator.cli.farm.options import farm_options


@click.group("node", short_help="Take a machine of the farm out of work, or back in.")
def command() -> None:
    """A drained node stays drained when it starts again, until `quincunx node undrain`."""


@command.command("drain", short_help="Let a node finish what it has and take no more.")
@click.argument("name")
@click.option("-r", "--reason", required=True, help="Why; `quincunx nodes` shows it to everybody.")
@json_option
@farm_options
def drain(name: str, reason: str, as_json: bool, **flags: str | None) -> None:
    """Drain the node NAME; several when NAME ends in *. What it has begun it finishes."""
    from quincunx_orchestrator.cli.farm.opening import open_desk

    with open_desk(**flags) as desk:
        found = _matching(name, [one.node.name for one in desk.nodes.seen()])
        for one in found:
            desk.nodes.drain(one, reason, by=_whoever_asks())
    rows = [{"node": one, "drained": True} for one in found]
    answer({"nodes": rows}, "\n".join(f"{one} takes no more work." for one in found), as_json=as_json)


def _whoever_asks() -> str:
    """The name of this user, or the number: containers run users that no file of theirs knows."""
    import getpass
    import os

    try:
        return getpass.getuser()
    except (OSError, KeyError):  # the latter until Python 3.13
        return f"uid {os.getuid()}"


@command.command("undrain", short_help="Let it work again.")
@click.argument("name")
@json_option
@farm_options
def undrain(name: str, as_json: bool, **flags: str | None) -> None:
    """Let the node NAME take work again; several when NAME ends in *."""
    from quincunx_orchestrator.cli.farm.opening import open_desk

    with open_desk(**flags) as desk:
        found = _matching(name, [one.node.name for one in desk.nodes.seen()])
        were = {one: desk.nodes.undrain(one) for one in found}
    told = (f"{one} {'takes work again' if was else 'was not drained'}." for one, was in were.items())
    rows = [{"node": one, "drained": False} for one in found]
    answer({"nodes": rows}, "\n".join(told), as_json=as_json)


def _matching(pattern: str, names: list[str]) -> list[str]:
    from fnmatch import fnmatchcase

    from quincunx_shared.errors import NotOnFarm
    from quincunx_shared.hints import did_you_mean

    found = [name for name in names if fnmatchcase(name, pattern)]
    if not found:
        raise NotOnFarm(f"there is no such node{did_you_mean(pattern, names)}", where=pattern, remedy="quincunx nodes")
    return found
