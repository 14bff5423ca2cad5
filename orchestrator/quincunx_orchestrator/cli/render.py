"""`quincunx render`: a song file in, a sound file out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from quincunx_orchestrator.cli.shared_options import Choices, picture_option, render_options
from quincunx_orchestrator.cli.workspace import cache_dir_option

if TYPE_CHECKING:
    from quincunx_orchestrator.cli.job import Wishes


@click.command("render", short_help="Render a song to a sound file.")
@click.argument("song", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The file to write: .wav or .flac.")
@picture_option
@render_options
@cache_dir_option
def command(song: Path, output: Path | None, cache_dir: Path | None, **given: Any) -> int:
    """Render SONG (.ustx, .ds) to a sound file.

    After an edit, only the phrases that the edit changed are computed again; `quincunx why SONG` says which.
    """
    choices = Choices(**given)
    if output is None and not choices.dry_run:
        raise click.UsageError("Where to? Name the file to write with -o, such as -o song.wav.")
    return render_song(song, output or Path("song.wav"), choices, cache_dir)


def render_song(song: Path, output: Path, choices: Choices, cache_dir: Path | None) -> int:
    """Carry out a render for `render` and `demo`, and return the exit code."""
    from quincunx_orchestrator.cli import job as jobs
    from quincunx_orchestrator.cli import pictures, telling

    workspace = choices.workspace(cache_dir)
    wishes = wishes_from(output, choices)
    if not choices.dry_run:
        jobs.check_output(output)
        if choices.picture:
            pictures.check_picture(choices.picture)
    with jobs.open_job(song, wishes, workspace) as job:
        telling.say_notices(job, choices.quiet)
        if choices.explain or choices.dry_run:
            plan = job.plan()
            if choices.dry_run:
                telling.show_plan(job, plan, choices)
                return 0
            telling.explain(job, plan)
        with telling.progress(job, quiet=choices.quiet or choices.as_json):
            result = job.render()
        sound = jobs.sound_of(result)
        if sound is not None:
            jobs.write_whole(output, sound)
            if choices.picture:
                jobs.write_whole(choices.picture, pictures.picture_of(job, result, sound, song))
        return telling.summarise(job, result, output, choices)


def wishes_from(output: Path, choices: Choices) -> Wishes:
    """Turn flags into wishes; what the output's name and the flags contradict in is refused."""
    from quincunx_orchestrator.cli.job import Wishes
    from quincunx_orchestrator.song.phrase_graph import Delivery, Take
    from quincunx_orchestrator.song.sound_formats import container_of, subtype_of

    container = container_of(output.name)
    subtype = subtype_of(container, choices.bits)
    delivery = Delivery(container, subtype, choices.rate, choices.loudness, choices.true_peak, _level_asked())
    take = Take(choices.seed, choices.acoustic_seed, choices.steps, choices.depth)
    return Wishes(choices.voice, choices.strict_voice, take, delivery, choices.cut, choices.voice_for)


def _level_asked() -> bool:
    """Whether a person named a level, even the default one."""
    context = click.get_current_context(silent=True)
    asked = ParameterSource.COMMANDLINE
    return context is not None and asked in (context.get_parameter_source(one) for one in ("loudness", "true_peak"))
