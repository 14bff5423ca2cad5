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
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@click.option("-q", "--quiet", is_flag=True, help="Only errors.")
@cache_dir_option
def command(song: Path, output: Path, voice: str, seed: int, force: bool, quiet: bool, cache_dir: Path | None) -> int:
    """Write SONG as a .ds file: a segment a phrase, with the phonemes, durations and pitch that a render sings.

    Nothing is sung for it. What a .ds file cannot hold, such as dynamics and the mix, is said. It is one voice: of a
    song with several tracks, each becomes a file of its own, numbered.
    """
    from quincunx_orchestrator.cli import job as jobs
    from quincunx_orchestrator.cli import telling
    from quincunx_orchestrator.score.ds_writer import write_ds

    if output.suffix.lower() != ".ds":
        raise click.UsageError(f"{output}: the name must end in .ds.")
    with jobs.open_job(song, jobs.Wishes(voice=voice, seed=seed), Workspace(cache_dir), sung=True) as job:
        files = _files(job, output, force)
        telling.say_notices(job, quiet)
        transcripts = _transcripts(job)
        losses = dict.fromkeys(loss for one in transcripts.values() for loss in one.notices)
        for loss in () if quiet else losses:
            click.echo(f"Note: {loss}.", err=True)
        for track, path in files.items():
            jobs.write_whole(path, write_ds(transcripts[track]))
            click.echo(path)
    return 0


def _files(job: Job, output: Path, force: bool) -> dict[int, Path]:
    """Return the file of every track that sings, each of which can be written."""
    from quincunx_orchestrator.cli.job import check_output
    from quincunx_shared.errors import BadInput

    tracks = sorted({one.track for one in job.assembly.placed})
    numbered = (output.with_name(f"{output.stem}-{track + 1}{output.suffix}") for track in tracks)
    files = dict(zip(tracks, numbered if len(tracks) > 1 else [output], strict=True))
    for path in files.values():
        check_output(path)
        if path.exists() and not force:
            raise BadInput("this file is there already", where=str(path), remedy="--force replaces it")
    return files


def _transcripts(job: Job) -> dict[int, Transcript]:
    """Run the steps before the singing. What cannot be said of a phrase fails the whole: half a file misleads."""
    from quincunx_orchestrator.score.transcript import Transcript
    from quincunx_orchestrator.song.transcription import transcribe, transcribed_ports
    from quincunx_shared.errors import BadInput, StepFailed

    if isinstance(job.score, Transcript):
        raise BadInput("this is a .ds file already", where=job.path.name)
    result = job.studio.render(job.assembly, transcribed_ports(job.assembly))
    for (segment, node), error in result.failed.items():
        raise StepFailed(job.in_song(segment, error), where=f"{job.label_of(segment)} ({node})")
    return transcribe(job.assembly, result.payloads)
