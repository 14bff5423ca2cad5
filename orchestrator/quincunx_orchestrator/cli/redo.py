"""`quincunx redo`: do edits of a project again."""

from __future__ import annotations

from pathlib import Path

import click

from quincunx_orchestrator.cli.undo import step


@click.command("redo", short_help="Do edits again that were taken back.")
@click.argument("project", type=click.Path(path_type=Path))
@click.argument("count", type=click.IntRange(1), default=1)
def command(project: Path, count: int) -> int:
    """Do the last COUNT undone units of PROJECT again, one if no number is given."""
    return step(project, count, back=False)
