"""`quincunx edit`: operations on a project, one call one unit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quincunx_orchestrator.cli.documents import json_option
from quincunx_orchestrator.cli.workspace import Workspace, cache_dir_option

if TYPE_CHECKING:
    from quincunx_orchestrator.project.requests import Request


@click.command("edit", short_help="Edit the notes, graphs and curves of a project.")
@click.argument("project", type=click.Path(path_type=Path))
@click.argument("operations", metavar="[OPERATION]...", nargs=-1)
@click.option(
    "--batch", type=click.Path(path_type=Path), help="Operations of a JSON file (`quincunx project schema --edits`)."
)
@json_option
@cache_dir_option
def command(
    project: Path, operations: tuple[str, ...], batch: Path | None, as_json: bool, cache_dir: Path | None
) -> int:
    """Do OPERATIONs, each in quotes, to PROJECT. All of them are undone together.

    \b
    Notes     lyric NOTE TEXT · tone NOTE TONE · move NOTE TICKS · resize NOTE TICKS
              insert TRACK:BAR:BEAT TICKS TONE TEXT · delete NOTE
    Song      tempo BAR:BEAT BPM · curve TRACK NAME TICK=VALUE…
              volume TRACK DB · pan TRACK PAN · mute TRACK on|off · voice TRACK VOICE
    Graph     option PHRASE NODE.OPTION VALUE · bypass PHRASE NODE mute|off|OUTPUT=INPUT
              add-node PHRASE ID STEP OPTION=VALUE… · remove-node PHRASE ID
              add-edge PHRASE NODE.PORT NODE.PORT · remove-edge PHRASE NODE.PORT NODE.PORT
    Ports     override|offset|scale PHRASE NODE.PORT VALUE [CONSUMER.PORT]
              mask PHRASE NODE.PORT MASK VALUE [CONSUMER.PORT] · clear PHRASE NODE.PORT
              input PHRASE NODE.PORT VALUE

    A NOTE is TRACK:BAR:BEAT or PHRASE#N. A PHRASE is its name, TRACK:BAR, or its label. A VALUE is a number, a .npy,
    .npz or .csv file, or a curve over the seconds of the phrase: linear:0=0,1.5=30.
    """
    from quincunx_orchestrator.cli.project_files import now, open_project, save_project
    from quincunx_orchestrator.cli.project_stage import MachineStage
    from quincunx_orchestrator.project.editing import edit
    from quincunx_orchestrator.project.grammar import batch_of, request_of

    opened = open_project(project)
    asked: list[tuple[str, Request]] = [
        (f"operation {place} ({text[:60]})", request_of(text, place)) for place, text in enumerate(operations, 1)
    ]
    stage = MachineStage(Workspace(cache_dir))
    if batch is not None:
        from quincunx_orchestrator.cli.song_file import content_of

        read = batch_of(content_of(batch), batch.name)
        asked += [(f"{batch.name}: operations[{place}] ({one.op})", one) for place, one in enumerate(read)]
        stage.folder = batch.parent
    if not asked:
        raise click.UsageError("What is to be done? Give operations, or a file of them with --batch.")
    edited, notices = edit(opened, asked, stage, now())
    save_project(project, edited)
    for notice in notices:
        click.echo(f"Note: {notice}.", err=True)
    unit = edited.by_number[edited.done[-1]]
    if as_json:
        click.echo(
            json.dumps(
                {"schema": 1, "project": str(project), "unit": unit.number, "did": [*unit.said], "notices": [*notices]},
                ensure_ascii=False,
            )
        )
    else:
        click.echo(f"Unit {unit.number}: {len(unit.said)} operation{'s' if len(unit.said) > 1 else ''}.", err=True)
    return 0
