"""`quincunx cache … --farm`: what the commands about the cache need of a farm."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import click

from quincunx_orchestrator.cli.farm.options import named_farm

if TYPE_CHECKING:
    from quincunx_orchestrator.farm.upkeep import FarmUpkeep
    from quincunx_shared.stores.upkeep import Removal


def is_farm(on_farm: bool, flags: Mapping[str, str | None]) -> bool:
    """Whether the farm is meant: who names one means it."""
    return on_farm or any(flags.values())


def open_farm_upkeep(flags: Mapping[str, str | None]) -> AbstractContextManager[tuple[FarmUpkeep, str]]:
    """Open the farm that the settings name, for looking after its cache."""
    from quincunx_orchestrator.farm.upkeep import open_upkeep

    return open_upkeep(named_farm(**flags))


def purge_farm(flags: Mapping[str, str | None], song: str | None, *, asks: bool) -> Removal | None:
    """Remove the results of a song, or all, after asking where somebody can answer. None if the answer was no."""
    with open_farm_upkeep(flags) as (upkeep, where):
        asking = song is None and asks and sys.stdin.isatty() and sys.stderr.isatty()
        if asking and not click.confirm(f"Remove everything in {where}, for all who use it?", err=True):
            click.echo("Nothing was removed.", err=True)
            return None
        return upkeep.purge(None if song is None else _key(upkeep.songs(), song))


def pins_of_farm(flags: Mapping[str, str | None]) -> list[str]:
    """The songs that are pinned on a farm."""
    with open_farm_upkeep(flags) as (upkeep, _):
        return upkeep.pinned()


def pin_on_farm(flags: Mapping[str, str | None], song: str, *, pinned: bool) -> None:
    """Keep what a song uses on a farm, for all who use it, or no longer."""
    with open_farm_upkeep(flags) as (upkeep, _):
        upkeep.pin(_key(upkeep.songs(), song), pinned=pinned)


def _key(songs: Mapping[str, str], song: str) -> str:
    """Return the key of a song: by its key, its path, or the end of its path where that is enough."""
    from pathlib import Path

    from quincunx_shared.errors import BadInput
    from quincunx_shared.hints import did_you_mean

    whole = str(Path(song).resolve())
    exact = [key for key, path in songs.items() if song == key or path in (song, whole)]
    found = exact or [key for key, path in songs.items() if Path(path).name == song]
    if len(found) == 1:
        return found[0]
    if found:
        told = ", ".join(sorted(songs[key] for key in found))
        raise BadInput(f"several songs of the farm are called so: {told}", where=song, remedy="give the whole path")
    raise BadInput(f"nothing on the farm belongs to it{did_you_mean(song, songs.values())}", where=song)
