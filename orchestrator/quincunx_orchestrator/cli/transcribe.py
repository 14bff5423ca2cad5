"""`quincunx transcribe`: what is sung of a score, as a .ds file that DiffSinger and OpenUTAU read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from quincunx_orchestrator.cli.sound_options import SEED_LIMIT
from quincunx_orchestrator.cli.workspace import Workspace, cache_dir_option

if TYPE_CHECKING:
    from quincunx_orchestrator.cli.job import Job
    from quincunx_orchestrator.score.transcript import Transcript


@click.command("transcribe", short_help="Write a song as a .ds file: phonemes, durations and pitch.")
@click.argument("song", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="The .ds file to write.")
@click.option("--voice", default="", metavar="NAME|FOLDER", help="As this voice would sing it.")
@click.option("--seed", type=click.IntRange(0, SEED_LIMIT), default=0, help="Choose the take.  [default: 0]")
@click.option("-q", "--quiet", is_flag=True, help="Only errors.")
@cache_dir_option
def command(song: Path, output: Path, voice: str, seed: int, quiet: bool, cache_dir: Path | None) -> int:
    """Write SONG as a .ds file: a segment a phrase, with the phonemes, durations and pitch that a render sings.

    Nothing is sung for it. What a .ds file cannot hold, such as dynamics and the mix, is said.
    """
    from quincunx_orchestrator.cli import job as jobs
    from quincunx_orchestrator.cli import telling
    from quincunx_orchestrator.score.ds_writer import write_ds

    if output.suffix.lower() != ".ds":
        raise click.UsageError(f"{output}: the name must end in .ds.")
    jobs.check_output(output)
    with jobs.open_job(song, jobs.Wishes(voice=voice, seed=seed), Workspace(cache_dir)) as job:
        telling.say_notices(job, quiet)
        transcript = _transcript(job)
        if not quiet:
            for loss in transcript.notices:
                click.echo(f"Note: {loss}.", err=True)
        jobs.write_whole(output, write_ds(transcript))
    click.echo(output)
    return 0


def _transcript(job: Job) -> Transcript:
    """Run the steps before the singing. What cannot be said of a phrase fails the whole: half a file misleads."""
    from quincunx_orchestrator.score.transcript import Transcript
    from quincunx_orchestrator.song.transcription import transcribe, transcribed_ports
    from quincunx_shared.errors import BadInput, StepFailed

    if isinstance(job.score, Transcript):
        raise BadInput("this is a .ds file already", where=job.path.name)
    result = job.studio.render(job.assembly, transcribed_ports(job.assembly))
    for (segment, node), error in result.failed.items():
        raise StepFailed(job.in_song(segment, error), where=f"{job.label_of(segment)} ({node})")
    return transcribe(job.assembly, result.payloads, {one.track for one in job.assembly.placed})
