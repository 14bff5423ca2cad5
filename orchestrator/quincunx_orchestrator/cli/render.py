"""`quincunx render`: song files in, sound files out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from quincunx_orchestrator.cli.help_sections import SectionedCommand
from quincunx_orchestrator.cli.shared_options import Choices, picture_option, render_options
from quincunx_orchestrator.cli.sound_options import several_options
from quincunx_orchestrator.cli.workspace import cache_dir_option

if TYPE_CHECKING:
    from quincunx_orchestrator.cli.job import Job, Room
    from quincunx_orchestrator.cli.readiness import Readiness
    from quincunx_orchestrator.cli.tasks import Asked, Task
    from quincunx_orchestrator.cli.telling import Told
    from quincunx_orchestrator.cli.workspace import Workspace


def _several(command: Any) -> Any:
    for option in reversed(several_options):
        command = option(command)
    return command


@click.command("render", cls=SectionedCommand, short_help="Render songs to sound files.")
@click.argument("songs", metavar="SONG...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The file to write: .wav or .flac.")
@_several
@click.option("--watch", is_flag=True, help="Stay, and render again whenever the song is saved, until Ctrl-C.")
@picture_option
@render_options
@cache_dir_option
def command(
    songs: tuple[Path, ...],
    output: Path | None,
    out_dir: Path | None,
    container: str | None,
    takes: int | None,
    keep: int | None,
    watch: bool,
    cache_dir: Path | None,
    **given: Any,
) -> int:
    """Render SONG (.ustx, .ds, .mid, .musicxml, .ust, or a project) to a sound file, or several into a folder.

    After an edit, only the phrases that the edit changed are computed again; `quincunx why SONG` says which.
    """
    from quincunx_orchestrator.cli.tasks import Asked

    asked, choices = Asked(songs, output, out_dir, container, takes, keep), Choices(**given)
    return watch_song(asked, choices, cache_dir) if watch else render_songs(asked, choices, cache_dir)


def watch_song(asked: Asked, choices: Choices, cache_dir: Path | None) -> int:
    """Render one song, again and again, whenever it is saved."""
    from quincunx_orchestrator.cli.tasks import tasks_of

    if len(asked.songs) > 1 or asked.takes is not None or asked.keep is not None or choices.dry_run:
        raise click.UsageError("--watch renders one song: leave out other songs, --takes, --keep and --dry-run.")
    from quincunx_orchestrator.cli.watch import watch

    (task,) = tasks_of(asked, choices)
    return watch(task, choices, choices.workspace(cache_dir))


def render_song(song: Path, output: Path, choices: Choices, cache_dir: Path | None) -> int:
    """Render one song to one file, and return the exit code."""
    from quincunx_orchestrator.cli.tasks import Asked

    return render_songs(Asked((song,), output), choices, cache_dir)


def render_songs(asked: Asked, choices: Choices, cache_dir: Path | None) -> int:
    """Carry out all renders that were asked for, one after the other in one studio, and return the exit code.

    Of several songs, one that is wrong does not stop the others.
    """
    from quincunx_orchestrator.cli import telling
    from quincunx_orchestrator.cli.job import read_song
    from quincunx_orchestrator.cli.tasks import songs_of, tasks_of
    from quincunx_orchestrator.installed import cutter_named

    workspace = choices.workspace(cache_dir)
    tasks = tasks_of(asked, choices)
    batch = len(songs_of(tasks)) > 1
    cutter = cutter_named(choices.cut, workspace.isolation)
    # A single song is read before the cache is opened, and once for all of its takes.
    scores = {} if batch else {tasks[0].song: read_song(tasks[0].song, workspace.isolation)}
    told: list[Told] = []
    with open_place(workspace, choices, frugal=batch) as room:

        def rendered(task: Task) -> Told:
            score = scores.get(task.song) or read_song(task.song, workspace.isolation)
            return render_task(room.job(task.song, score, task.wishes, cutter), task, choices)

        for task in tasks:
            told.append(_attempted(rendered, task) if batch else rendered(task))
            room.turn_over(forget=batch)
    telling.print_documents(told, choices, together=len(tasks) > 1)
    return telling.exit_code(told)


def open_place(workspace: Workspace, choices: Choices, *, frugal: bool = False) -> AbstractContextManager[Room]:
    """Open the place where to render: here, or on a farm."""
    if choices.farm:
        from quincunx_orchestrator.cli.farm.rendering import open_room_on_farm

        return open_room_on_farm(workspace, quiet=choices.quiet or choices.as_json)
    from quincunx_orchestrator.cli.job import open_room

    return open_room(workspace, frugal=frugal)


def _attempted(rendered: Callable[[Task], Told], task: Task) -> Told:
    """Render one song of several: what is wrong with it is told, and the next one is rendered."""
    from quincunx_orchestrator.cli import telling
    from quincunx_orchestrator.cli.main import tell_error

    try:
        return rendered(task)
    except Exception as error:
        return telling.told_of_error(task.song, error, tell_error(error, name=str(task.song)))


def render_task(job: Job, task: Task, choices: Choices, readiness: Readiness | None = None) -> Told:
    """Render one task: plan, render, write, tell. `readiness` hears how its phrases become ready."""
    from quincunx_orchestrator.cli import telling
    from quincunx_orchestrator.cli.outputs import Writer, write_beside

    telling.say_notices(job, choices.quiet)
    if choices.dry_run:
        return telling.show_plan(job, job.plan(), choices)
    task.places.check_files(job.assembly, task.song)
    if choices.explain:
        telling.explain(job, job.plan())
    writer = Writer(task.places.files(job.assembly))
    hearing = job.log.heard_by(readiness.hear) if readiness else nullcontext()
    with hearing, telling.progress(job, quiet=choices.quiet or choices.as_json or readiness is not None):
        result = job.render(writer)
    write_beside(writer, task.places, job, result)
    return telling.summarise(job, result, tuple(writer.written.values()), choices)
