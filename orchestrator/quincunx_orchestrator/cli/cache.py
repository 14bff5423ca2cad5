"""`quincunx cache`: what is kept, whose it is, whether it is whole, and what leaves."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from quincunx_orchestrator.cli.cache_size import DEFAULT_BYTES, Size
from quincunx_orchestrator.cli.documents import json_option
from quincunx_orchestrator.cli.farm.cache import is_farm, open_farm_upkeep, pin_on_farm, pins_of_farm, purge_farm
from quincunx_orchestrator.cli.farm.options import farm_options
from quincunx_orchestrator.cli.workspace import Workspace, cache_dir_option

if TYPE_CHECKING:
    from quincunx_shared.stores.upkeep import Findings, Removal, Room, Statistics

SCHEMA = 1

_on_farm = click.option("--farm", "on_farm", is_flag=True, help="The cache of the farm, in place of this machine's.")

_pinned_song = click.argument("song", required=False, type=click.Path(path_type=Path))
_pinned_voice = click.option("--voice", help="What this voice sings, in place of a song.")


@click.group("cache", short_help="Look after the cache.")
def command() -> None:
    """Look after the cache of results."""


@command.command("stats")
@json_option
@cache_dir_option
@_on_farm
@farm_options
def stats(as_json: bool, cache_dir: Path | None, on_farm: bool, **flags: str | None) -> int:
    """Say where the cache is, how much it holds, and how much of it belongs to which song and voice.

    What several songs use counts for each of them. What belongs to no song as it was rendered last are results of
    earlier edits: they make undo free, and leave first. A farm knows its songs from their last jobs, and no voices.
    """
    if is_farm(on_farm, flags):
        with open_farm_upkeep(flags) as (upkeep, where):
            return _tell_statistics(upkeep.statistics(), where, as_json=as_json)
    workspace = Workspace(cache_dir)
    with workspace.cache() as cache:
        return _tell_statistics(cache.upkeep.statistics(), str(workspace.cache_root), as_json=as_json)


def _tell_statistics(told: Statistics, where: str, *, as_json: bool) -> int:
    from quincunx_shared.stores.upkeep import in_words

    if as_json:
        document = {"schema": SCHEMA, "folder": where, **asdict(told)}
        click.echo(json.dumps(document, ensure_ascii=False))
        return 0
    click.echo(where)
    click.echo(f"{told.results} results, {told.blobs} blobs, {in_words(told.blob_bytes)}")
    _show_rooms("song", told.songs, told.pinned)
    _show_rooms("voice", told.voices, told.pinned)
    _show_rooms("step", told.steps)
    click.echo(f"{in_words(told.unowned_bytes):>10}  earlier edits")
    return 0


@command.command("verify")
@click.option("--repair", is_flag=True, help="Drop what is wrong, so that it is computed again.")
@json_option
@cache_dir_option
@_on_farm
@farm_options
def verify(repair: bool, as_json: bool, cache_dir: Path | None, on_farm: bool, **flags: str | None) -> int:
    """Read every blob and every record, and name what is not as it was written. Exit code 1 if anything is wrong."""
    if is_farm(on_farm, flags):
        with open_farm_upkeep(flags) as (upkeep, _):
            found = upkeep.verify(repair=repair)
    else:
        with Workspace(cache_dir).cache() as cache:
            found = cache.upkeep.verify(repair=repair)
    return _tell_findings(found, repair=repair, as_json=as_json)


def _tell_findings(found: Findings, *, repair: bool, as_json: bool) -> int:
    if as_json:
        wrong = {"corrupt": found.corrupt, "foreign": found.foreign, "broken_results": len(found.broken)}
        document = {"schema": SCHEMA, "blobs": found.blobs, "results": found.results, **wrong, "repaired": repair}
        click.echo(json.dumps(document, ensure_ascii=False))
        return 0 if found.whole or repair else 1
    click.echo(f"{found.blobs} blobs and {found.results} results read.")
    for digest in found.corrupt:
        click.echo(f"Corrupt: blob {digest}", err=True)
    for path in found.foreign:
        click.echo(f"Not ours: {path}", err=True)
    if found.broken:
        click.echo(f"{len(found.broken)} results are unreadable, or promise blobs that are not there.", err=True)
    if found.whole:
        click.echo("Everything is as it was written.")
        return 0
    advice = "A render computes them again; `quincunx cache verify --repair` drops them."
    click.echo("They were dropped." if repair else advice, err=True)
    return 0 if repair else 1


@command.command("gc")
@click.option(
    "--to",
    "limit",
    type=Size(),
    metavar="SIZE",
    help="Make room down to this size.  [default: 20GB on this machine, no limit on a farm]",
)
@click.option("--dry-run", is_flag=True, help="Say what would leave, and remove nothing.")
@json_option
@cache_dir_option
@_on_farm
@farm_options
def gc(
    limit: float | None, dry_run: bool, as_json: bool, cache_dir: Path | None, on_farm: bool, **flags: str | None
) -> int:
    """Remove what nothing refers to, and what was not used for longest until the rest fits.

    What is pinned stays, and so does what a running render reads.
    """
    if is_farm(on_farm, flags):
        with open_farm_upkeep(flags) as (upkeep, _):
            removal = upkeep.collect(math.inf if limit is None else limit, dry_run=dry_run)
    else:
        with Workspace(cache_dir).cache() as cache:
            removal = cache.upkeep.collect(DEFAULT_BYTES if limit is None else limit, dry_run=dry_run)
    return _tell_removal(removal, "would be removed" if dry_run else "removed", as_json=as_json)


@command.command("purge")
@click.option("--song", type=click.Path(path_type=Path), help="Remove what this song uses, and no other.")
@click.option("--voice", help="Remove what this voice sang, and the songs as they were mixed with it.")
@click.option("--all", "everything", is_flag=True, help="Remove everything.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask whether to remove everything.")
@json_option
@cache_dir_option
@_on_farm
@farm_options
def purge(
    song: Path | None,
    voice: str | None,
    everything: bool,
    yes: bool,
    as_json: bool,
    cache_dir: Path | None,
    on_farm: bool,
    **flags: str | None,
) -> int:
    """Remove results whatever their age. They are computed again when they are next needed.

    With a voice go the results of earlier edits: nobody knows any more who sang them.
    """
    if sum((song is not None, voice is not None, everything)) != 1:
        raise click.UsageError("Purge what? Give one of --song, --voice and --all.")
    if is_farm(on_farm, flags):
        if voice is not None:
            raise click.UsageError("A farm knows songs, and no voices: give --song or --all.")
        removal = purge_farm(flags, None if song is None else str(song), asks=not yes)
        return 0 if removal is None else _tell_removal(removal, "removed", as_json=as_json)
    asking = everything and not yes and sys.stdin.isatty() and sys.stderr.isatty()
    if asking and not click.confirm(f"Remove everything in {Workspace(cache_dir).cache_root}?", err=True):
        click.echo("Nothing was removed.", err=True)
        return 0
    with Workspace(cache_dir).cache() as cache:
        if voice is not None:
            _check_voice(cache, voice)
        removal = cache.upkeep.purge(song=None if song is None else _key(cache, song), voice=voice)
    return _tell_removal(removal, "removed", as_json=as_json)


@command.command("pin")
@_pinned_song
@_pinned_voice
@cache_dir_option
@_on_farm
@farm_options
def pin(song: Path | None, voice: str | None, cache_dir: Path | None, on_farm: bool, **flags: str | None) -> int:
    """Keep what SONG uses, or what a voice sings in any song, whatever its age; without either, list what is pinned.

    On a farm a song stays as its last job rendered it, for all who use the farm.
    """
    if song is not None or voice is not None:
        return _set_pin(song, voice, cache_dir, flags if is_farm(on_farm, flags) else None, pinned=True)
    if is_farm(on_farm, flags):
        names = pins_of_farm(flags)
    else:
        with Workspace(cache_dir).cache() as cache:
            names = list(cache.upkeep.statistics().pinned)
    click.echo("".join(f"{name}\n" for name in names), nl=False)
    return 0


@command.command("unpin")
@_pinned_song
@_pinned_voice
@cache_dir_option
@_on_farm
@farm_options
def unpin(song: Path | None, voice: str | None, cache_dir: Path | None, on_farm: bool, **flags: str | None) -> int:
    """Let what SONG uses, or what a voice sings, leave the cache when its time comes."""
    return _set_pin(song, voice, cache_dir, flags if is_farm(on_farm, flags) else None, pinned=False)


def _set_pin(
    song: Path | None, voice: str | None, cache_dir: Path | None, farm: Mapping[str, str | None] | None, *, pinned: bool
) -> int:
    if (song is None) == (voice is None):
        raise click.UsageError("Give a song or a --voice.")
    if farm is None:
        _set_pin_here(song, voice, cache_dir, pinned=pinned)
    elif song is None:
        raise click.UsageError("A farm knows songs, and no voices: give a song.")
    else:
        pin_on_farm(farm, str(song), pinned=pinned)
    click.echo(f"{song or voice} is {'pinned' if pinned else 'no longer pinned'}.", err=True)
    return 0


def _set_pin_here(song: Path | None, voice: str | None, cache_dir: Path | None, *, pinned: bool) -> None:
    from quincunx_shared.stores.owners import pin_of_voice

    with Workspace(cache_dir).cache() as cache:
        if song is not None:
            name = _key(cache, song)
        else:
            name = pin_of_voice(voice or "")
            if pinned:
                _check_voice(cache, voice or "")
        cache.owners.pin(name, pinned=pinned)


def _check_voice(cache: Any, voice: str) -> None:
    from quincunx_shared.errors import BadInput
    from quincunx_shared.hints import did_you_mean

    known = {one.voice for one in cache.owners.owned()} - {""}
    if voice not in known:
        raise BadInput(f"nothing here was sung by {voice!r}{did_you_mean(voice, known)}")


def _key(cache: Any, song: Path) -> str:
    """Return the key of a song that was rendered here."""
    from quincunx_orchestrator.cli.job import song_key
    from quincunx_shared.errors import BadInput

    key = song_key(song)
    if all(one.song != key for one in cache.owners.owned()):
        raise BadInput("nothing in the cache belongs to it", where=str(song), remedy=f"quincunx render {song}")
    return key


def _show_rooms(kind: str, rooms: Mapping[str, Room], pinned: tuple[str, ...] = ()) -> None:
    from quincunx_shared.stores.upkeep import in_words

    for name, room in sorted(rooms.items(), key=lambda one: -one[1].blob_bytes):
        mark = ", pinned" if name in pinned else ""
        click.echo(f"{in_words(room.blob_bytes):>10}  {kind} {name} ({room.results} results{mark})")


def _tell_removal(removal: Removal, what: str, *, as_json: bool) -> int:
    from quincunx_shared.stores.upkeep import in_words

    if as_json:
        click.echo(json.dumps({"schema": SCHEMA, **asdict(removal)}))
        return 0
    click.echo(
        f"{removal.blobs} blobs ({in_words(removal.size_bytes)}) and {removal.results} results {what}; "
        f"{in_words(removal.left_bytes)} left."
    )
    return 0
