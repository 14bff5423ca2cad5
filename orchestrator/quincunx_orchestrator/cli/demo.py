"""`quincunx demo`: the song that comes with Quincunx."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import click

from quincunx_orchestrator.cli.help_sections import SectionedCommand
from quincunx_orchestrator.cli.render import render_song
from quincunx_orchestrator.cli.shared_options import Choices, picture_option, render_options
from quincunx_orchestrator.cli.workspace import cache_dir_option

SONG = "demo.ustx"
#: A tenth of a small room.
DEMO_REVERB = 0.1


@click.command("demo", cls=SectionedCommand, short_help="Render the song that comes with Quincunx.")
@click.option("-o", "--output", type=click.Path(path_type=Path), default=Path("demo.wav"), show_default=True)
@click.option(
    "--score",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the song itself (.ustx) here instead, to edit it and render it with `quincunx render`.",
)
@picture_option
@render_options
@cache_dir_option
def command(output: Path, score: Path | None, cache_dir: Path | None, **given: Any) -> int:
    """Render the song that comes with Quincunx: three languages, two voices in harmony."""
    with as_file(files("quincunx_orchestrator") / "songs" / SONG) as song:
        if score is None:
            return render_song(song, output, as_the_demo_is_sung(Choices(**given)), cache_dir)
        from quincunx_orchestrator.cli.job import check_output, write_whole
        from quincunx_shared.errors import BadInput

        if score.exists():
            raise BadInput("this file is there already", where=str(score), remedy="choose another name, or remove it")
        check_output(score)
        write_whole(score, song.read_bytes())
    click.echo(score)
    return 0


def as_the_demo_is_sung(choices: Choices) -> Choices:
    """Return the choices with what the demo song is meant to have, unless a person chose otherwise.

    Songs of users are sung as they are drawn and left dry, as in the editors they come from.
    """
    natural = True if choices.natural is None else choices.natural
    return replace(choices, natural=natural, reverb=DEMO_REVERB if choices.reverb is None else choices.reverb)
