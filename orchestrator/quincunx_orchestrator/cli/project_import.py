"""`quincunx import`: a song becomes a project, or a newer song is taken into one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from quincunx_orchestrator.cli.workspace import Workspace

if TYPE_CHECKING:
    from quincunx_orchestrator.project.changes import Source
    from quincunx_orchestrator.project.folding import State
    from quincunx_orchestrator.score.readers import Song


@click.command("import", short_help="Make a project of a song, or take a newer song into one.")
@click.argument("song", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The project to make: a .qxp file.")
@click.option("--update", type=click.Path(path_type=Path), metavar="PROJECT", help="Take SONG into this project.")
@click.option("--force", is_flag=True, help="Replace a project that is there.")
def command(song: Path, output: Path | None, update: Path | None, force: bool) -> int:
    """Make a project of SONG, in which edits of notes and of graphs are kept, and can be undone.

    With --update, SONG replaces the notes of a project. Edits of graphs follow their phrases; what was edited in the
    notes counts no longer, and is back after `quincunx undo`.
    """
    if (output is None) == (update is None):
        raise click.UsageError("Give the project: -o NAME.qxp to make it, or --update NAME.qxp.")
    if output is not None:
        return make(song, output, force=force)
    return take_in(song, update or Path())


def make(song: Path, output: Path, *, force: bool) -> int:
    """Make a project."""
    from quincunx_orchestrator.cli.job import PROJECT_SUFFIX, check_output
    from quincunx_orchestrator.cli.project_files import save_project
    from quincunx_orchestrator.cli.project_stage import MachineStage
    from quincunx_orchestrator.project.checks import check_song
    from quincunx_orchestrator.project.values import Project
    from quincunx_shared.errors import BadInput

    if output.suffix.lower() != PROJECT_SUFFIX:
        raise BadInput(f"a project's name ends in {PROJECT_SUFFIX}", where=str(output))
    check_output(output)
    if output.exists() and not force:
        remedy = "take the song into it with --update, or replace it with --force"
        raise BadInput("there is a project already", where=str(output), remedy=remedy)
    score, source = _read(song)
    check_song(score, song.name)
    save_project(output, Project(source, score, MachineStage(Workspace()).voices_of(score)))
    _tell(score, output)
    return 0


def take_in(song: Path, path: Path) -> int:
    """Take a newer song into a project, as one unit."""
    from quincunx_orchestrator.cli.project_files import now, open_project, save_project
    from quincunx_orchestrator.project.changes import Change, Follow, ReplaceScore
    from quincunx_orchestrator.project.checks import check_song
    from quincunx_orchestrator.project.folding import fold

    project = open_project(path)
    score, source = _read(song)
    check_song(score, song.name)
    state = fold(project)
    names = {former: name for former, name in _heirs(state, score, song).items() if former in state.wishes}
    made: list[Change] = [ReplaceScore(score, source), *([Follow(names)] if names else [])]
    save_project(path, project.push(now(), [f"import --update {song.name}"], made))
    for former, name in names.items():
        click.echo(f"Note: the edits of {former} are those of {name} now.", err=True)
    _tell(score, path)
    return 0


def _heirs(state: State, newer: Song, song: Path) -> dict[str, str]:
    """Return which phrases take over the edits of which. Raises `BadInput` where notes would follow none."""
    from quincunx_orchestrator.project.following import heirs_of_files
    from quincunx_orchestrator.project.segments import heirs_of_transcripts
    from quincunx_orchestrator.score.transcript import Transcript
    from quincunx_shared.errors import BadInput

    if isinstance(newer, Transcript) and isinstance(state.song, Transcript):
        return heirs_of_transcripts(state.song, newer)
    if isinstance(newer, Transcript) or isinstance(state.song, Transcript):
        what = f"the project holds {state.source.name}: a .ds file and a song of notes cannot take each other's place"
        raise BadInput(what, where=str(song), remedy="make a project of its own with -o")
    return heirs_of_files(state.score, newer)


def _read(song: Path) -> tuple[Song, Source]:
    from quincunx_orchestrator.cli.job import PROJECT_SUFFIX
    from quincunx_orchestrator.cli.song_file import content_of
    from quincunx_orchestrator.installed import format_table
    from quincunx_orchestrator.project.changes import Source
    from quincunx_orchestrator.score.readers import read_song
    from quincunx_shared.canonical import digest_of_bytes
    from quincunx_shared.errors import BadInput

    if song.suffix.lower() == PROJECT_SUFFIX:
        raise BadInput("this is a project already", where=str(song), remedy="copy the file")
    raw = content_of(song)
    return read_song(song.name, raw, format_table(song.suffix)), Source(song.name, digest_of_bytes(raw))


def _tell(score: Song, output: Path) -> None:
    for notice in score.notices:
        click.echo(f"Note: {notice}.", err=True)
    click.echo(output)
