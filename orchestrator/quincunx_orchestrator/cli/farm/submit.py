"""`quincunx submit`: hand a song to the farm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from quincunx_orchestrator.cli.farm.options import FLAGS, farm_options
from quincunx_orchestrator.cli.farm.priority import CLASSES
from quincunx_orchestrator.cli.help_sections import SectionedCommand
from quincunx_orchestrator.cli.shared_options import Choices, song_options
from quincunx_orchestrator.cli.workspace import cache_dir_option

#: Parameters of `submit` that say how the job is treated.
HOW = ("priority", "tags", "idempotency_key", "barrier", "keep_older")


@click.command("submit", cls=SectionedCommand, short_help="Hand a song to the farm.")
@click.argument("song", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="With --watch or --wait: the file to write.")
@click.option("--as", "container", type=click.Choice(["wav", "flac"]), default="wav", help="Without -o: the format.")
@click.option("--watch", is_flag=True, help="Follow it; Ctrl-C leaves it running.")
@click.option("--wait", is_flag=True, help="Come back when it is over.")
@click.option("--timeout", type=click.FloatRange(0), metavar="SECONDS", help="Wait no longer; exit code 8 then.")
@click.option("--priority", type=click.Choice(CLASSES), default="user", show_default=True)
@click.option("--tag", "tags", multiple=True, help="A word to find it by. May be given several times.")
@click.option(
    "--idempotency-key", default="", metavar="KEY", help="While a job with this key is active, return that one."
)
@click.option(
    "--barrier",
    type=click.Choice(["strict", "wave", "segment"]),
    default="strict",
    show_default=True,
    help="What waits for what: the song stage by stage, windows of phrases, or each phrase on its own.",
)
@click.option("--keep-older", is_flag=True, help="Let an unfinished older render of this song go on.")
@click.option("--dry-run", is_flag=True, help="Say what would be computed, and stop.")
@click.option("--explain", is_flag=True, help="Say why each step is computed.")
@click.option("-q", "--quiet", is_flag=True, help="Print the id, and nothing else.")
@song_options
@cache_dir_option
@farm_options
def command(
    song: Path,
    output: Path | None,
    container: str,
    watch: bool,
    wait: bool,
    timeout: float | None,
    cache_dir: Path | None,
    **given: Any,
) -> int:
    """Hand SONG to the farm and print the id of the job. A song that did not change since is done at once.

    A newer render of the same file takes the place of an older one that is not over. `quincunx watch ID` follows a job,
    and with -o fetches what came of it.
    """
    from quincunx_orchestrator.cli.farm.submitting import Errand, run_errand

    if output is not None and not (watch or wait):
        raise click.UsageError("-o needs --watch or --wait; or fetch it later with `quincunx watch ID -o FILE`.")
    how, flags = ({name: given.pop(name) for name in names} for names in (HOW, FLAGS))
    choices = Choices(**given)
    errand = Errand(song, output, container, watch, wait or timeout is not None, timeout, choices.quiet)
    return run_errand(errand, choices, cache_dir, how, flags)
