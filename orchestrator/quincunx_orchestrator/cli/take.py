"""`quincunx take`: the takes of a song, and the one that a plain render uses."""

from __future__ import annotations

import json
from pathlib import Path

import click

from quincunx_orchestrator.cli.documents import json_option
from quincunx_orchestrator.cli.workspace import Workspace, cache_dir_option


@click.group("take", short_help="Keep one of the takes of a song.")
def command() -> None:
    """Takes are rendered with `quincunx render SONG --takes 5`; the one that is kept is what SONG then sounds like.

    What is kept is remembered in the cache, for the song at its path.
    """


@command.command("keep", short_help="Use a take from now on.")
@click.argument("song", type=click.Path(path_type=Path))
@click.argument("number", type=click.IntRange(1))
@cache_dir_option
def keep(song: Path, number: int, cache_dir: Path | None) -> None:
    """Let `quincunx render SONG` use the seed of take NUMBER, unless --seed is given."""
    from quincunx_orchestrator.cli.job import read_song, recall_takes, remember_takes

    read_song(song)  # a path that is mistyped would be kept for ever, and never used
    with Workspace(cache_dir).cache() as cache:
        takes = recall_takes(cache, song).keep(number, where=str(song))
        remember_takes(cache, song, takes)
    click.echo(f"Take {number} of {song} (seed {takes.seed}) is kept.", err=True)


@command.command("drop", short_help="Keep none.")
@click.argument("song", type=click.Path(path_type=Path))
@cache_dir_option
def drop(song: Path, cache_dir: Path | None) -> None:
    """Let `quincunx render SONG` use seed 0 again."""
    from dataclasses import replace

    from quincunx_orchestrator.cli.job import recall_takes, remember_takes

    with Workspace(cache_dir).cache() as cache:
        remember_takes(cache, song, replace(recall_takes(cache, song), kept=None))
    click.echo(f"No take of {song} is kept.", err=True)


@command.command("show", short_help="Say which takes there are.")
@click.argument("song", type=click.Path(path_type=Path))
@cache_dir_option
@json_option
def show(song: Path, cache_dir: Path | None, as_json: bool) -> None:
    """List the takes of SONG that were rendered, with their seeds."""
    from quincunx_orchestrator.cli.job import recall_takes

    with Workspace(cache_dir).cache() as cache:
        takes = recall_takes(cache, song)
    rows = [
        {"take": number, "seed": takes.seed_of(number), "kept": number == takes.kept}
        for number in range(1, takes.count + 1)
    ]
    if as_json:
        click.echo(json.dumps({"schema": 1, "song": str(song), "takes": rows}, ensure_ascii=False))
        return
    for row in rows:
        click.echo(f"take {row['take']}  seed {row['seed']}{'  kept' if row['kept'] else ''}")
    if not rows:
        click.echo("No takes are known; `quincunx render SONG --takes 5` makes some.", err=True)
