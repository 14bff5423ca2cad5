"""`quincunx undo`: take edits of a project back."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("undo", short_help="Take edits of a project back.")
@click.argument("project", type=click.Path(path_type=Path))
@click.argument("count", type=click.IntRange(1), default=1)
def command(project: Path, count: int) -> int:
    """Take the last COUNT units of PROJECT back, one if no number is given."""
    return step(project, count, back=True)


def step(path: Path, count: int, *, back: bool) -> int:
    """Undo or redo units, say which, and save. With nothing to do, nothing is written."""
    from quincunx_orchestrator.cli.project_files import open_project, save_project

    project, moved = open_project(path), 0
    for _ in range(count):
        project, unit = project.undo() if back else project.redo()
        if unit is None:
            break
        moved += 1
        click.echo(f"{'Undid' if back else 'Redid'} {unit.number}: {'; '.join(unit.said)}", err=True)
    if not moved:
        click.echo(f"There is nothing to {'undo' if back else 'redo'}.", err=True)
        return 0
    save_project(path, project)
    return 0
