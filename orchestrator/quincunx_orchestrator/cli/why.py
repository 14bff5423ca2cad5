"""`quincunx why`: what a render would compute, and what each step follows from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from quincunx_orchestrator.cli.help_sections import SectionedCommand
from quincunx_orchestrator.cli.shared_options import Choices, plan_options
from quincunx_orchestrator.cli.workspace import cache_dir_option


@click.command("why", cls=SectionedCommand, short_help="Say what a render would compute, and why.")
@click.argument("song", type=click.Path(path_type=Path))
@click.option(
    "--as", "container", type=click.Choice(["wav", "flac"]), default="wav", help="As if written in this format."
)
@plan_options
@cache_dir_option
def command(song: Path, container: str, cache_dir: Path | None, **given: Any) -> int:
    """Compare SONG with its last render: which steps would run now, and what each of them follows from."""
    from quincunx_orchestrator.cli import job as jobs
    from quincunx_orchestrator.cli import telling
    from quincunx_orchestrator.cli.tasks import wishes_from

    choices = Choices(**given)
    workspace = choices.workspace(cache_dir)
    with jobs.open_job(song, wishes_from(Path(f"song.{container}"), choices), workspace) as job:
        telling.print_documents([telling.show_plan(job, job.plan(), choices)], choices, together=False)
    return 0
