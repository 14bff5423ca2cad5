"""`quincunx snapshot`: keep the state of a project under a name, or be as it was."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("snapshot", short_help="Keep the state of a project under a name, or restore it.")
@click.argument("project", type=click.Path(path_type=Path))
@click.argument("name", required=False)
@click.option("--restore", is_flag=True, help="Be as the snapshot NAME was. This is a unit, and can be undone.")
def command(project: Path, name: str | None, restore: bool) -> int:
    """Keep PROJECT as it is under NAME; without a name, list the snapshots."""
    from quincunx_orchestrator.cli.project_files import now, open_project, save_project

    opened = open_project(project)
    if name is None:
        if restore:
            raise click.UsageError("Which snapshot? Give its name.")
        for known in opened.snapshots:
            click.echo(known)
        return 0
    save_project(project, opened.restore(name, now()) if restore else opened.snapshot(name))
    click.echo(f"{'Restored' if restore else 'Kept'}: {name}.", err=True)
    return 0
