"""`quincunx convert`: a song in another format, and aloud what the format cannot hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quincunx_orchestrator.cli.documents import json_option

if TYPE_CHECKING:
    from quincunx_orchestrator.score.formats import ScoreFormat, Writer
    from quincunx_orchestrator.score.model import Score

SCHEMA = 1


@click.command("convert", short_help="Write a song in another format.")
@click.argument("song", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="The file; its suffix tells how.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@json_option
def command(song: Path, output: Path, force: bool, as_json: bool) -> int:
    """Write SONG as another kind of song file: .ustx, .mid, .musicxml or .ust.

    What the format cannot hold is said, a line each. A .ust file holds one track: of a song with several, each becomes
    a file of its own, numbered. For a .ds file, with what is sung in place of notes, use `quincunx transcribe`.
    """
    from quincunx_orchestrator.cli.job import check_output, read_song, write_whole
    from quincunx_orchestrator.score.transcript import Transcript
    from quincunx_shared.errors import BadInput

    target, write = _format_of(output)
    score = read_song(song)
    if isinstance(score, Transcript):
        what = "a .ds file holds phonemes and pitch, not notes"
        raise BadInput(what, where=song.name, remedy="render it as it is, or convert the song it was made of")
    files = dict(_files(score, output, one_track=target.one_track))
    for path in files:
        check_output(path)
        if path.exists() and not force:
            raise BadInput("this file is there already", where=str(path), remedy="--force replaces it")
    written = {path: write(one) for path, one in files.items()}
    for path, one in written.items():
        write_whole(path, one.content)
    many = len(files) > 1
    losses = [f"{path.name}: {loss}" if many else loss for path, one in written.items() for loss in one.losses]
    _tell(tuple(files), (*score.notices, *losses), as_json=as_json)
    return 0


def _format_of(output: Path) -> tuple[ScoreFormat, Writer]:
    """Return the format of a name and its writer, or refuse one we cannot write."""
    from quincunx_orchestrator.installed import score_formats
    from quincunx_orchestrator.score.readers import SCORE_FORMATS, TRANSCRIPT_SUFFIX
    from quincunx_shared.errors import BadInput

    suffix = output.suffix.lower()
    if suffix == TRANSCRIPT_SUFFIX:
        raise BadInput("a .ds file holds what is sung", where=str(output), remedy="use `quincunx transcribe`")
    formats = SCORE_FORMATS if suffix in SCORE_FORMATS else score_formats().found
    found = formats.get(suffix)
    if found is None or found.write is None:
        known = ", ".join(sorted(name for name, one in formats.items() if one.write is not None))
        raise BadInput(f"{suffix!r} is no format we write", where=str(output), remedy=f"known: {known}")
    return found, found.write


def _files(score: Score, output: Path, *, one_track: bool) -> Iterator[tuple[Path, Score]]:
    """Yield each file with the song it holds: the whole song, or a track that has notes."""
    singing = sorted({part.track for part in score.parts if part.notes})
    if not one_track or len(singing) < 2:
        yield output, score if not one_track or not singing else only_track(score, singing[0])
        return
    for number in singing:
        yield output.with_name(f"{output.stem}-{number + 1}{output.suffix}"), only_track(score, number)


def only_track(score: Score, number: int) -> Score:
    """Return a song of one of its tracks."""
    parts = tuple(replace(part, track=0) for part in score.parts if part.track == number)
    waves = tuple(replace(part, track=0) for part in score.wave_parts if part.track == number)
    return replace(score, tracks=(score.tracks[number],), parts=parts, wave_parts=waves)


def _tell(paths: tuple[Path, ...], losses: tuple[str, ...], *, as_json: bool) -> None:
    """What is lost goes to standard error, a line each; the names of the files to standard output."""
    for loss in losses:
        click.echo(f"Note: {loss}.", err=True)
    if as_json:
        import json

        document = {"schema": SCHEMA, "outputs": [str(path) for path in paths], "losses": list(losses)}
        click.echo(json.dumps(document, ensure_ascii=False))
        return
    for path in paths:
        click.echo(path)
