"""`quincunx export`: any port of any phrase, as numbers, as a table, as a .ds file or as a TextGrid."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from quincunx_orchestrator.cli.sound_options import SEED_LIMIT
from quincunx_orchestrator.cli.workspace import Workspace, cache_dir_option

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from quincunx_orchestrator.cli.job import Job
    from quincunx_orchestrator.score.model import Score
    from quincunx_orchestrator.song.assembly import Placed
    from quincunx_orchestrator.song.port_tables import Exported
    from quincunx_shared.names import Address, PortKey, SegmentId
    from quincunx_shared.payload import Payload

#: The port that stands for phonemes with their times.
PHONES = "phones"


@click.command("export", short_help="Write mel, pitch, curves or phonemes of a song to a file.")
@click.argument("song", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help=".npz, .csv, .ds or .TextGrid.")
@click.option("--port", "ports", multiple=True, metavar="NODE.PORT", help="Such as acoustic.mel, pitch.f0, or phones.")
@click.option("--phrase", "phrases", multiple=True, help="Only this phrase: name, TRACK:BAR or label. May be repeated.")
@click.option("--voice", default="", metavar="NAME|FOLDER", help="As this voice sings it.")
@click.option("--seed", type=click.IntRange(0, SEED_LIMIT), help="Choose the take.")
@cache_dir_option
def command(
    song: Path,
    output: Path,
    ports: tuple[str, ...],
    phrases: tuple[str, ...],
    voice: str,
    seed: int | None,
    cache_dir: Path | None,
) -> int:
    """Write ports of the phrases of SONG, a song or a project. Only the steps that lead to them run.

    The value of a port is what its step makes, before edits are laid on it: what an override can be drawn on. A .csv
    or .npz of one port can be edited and laid on the port again. .ds and .TextGrid need no ports.
    """
    from quincunx_orchestrator.cli import job as jobs

    kind = output.suffix.lower()
    if kind not in (".npz", ".csv", ".ds", ".textgrid"):
        raise click.UsageError(f"{output}: the name must end in .npz, .csv, .ds or .TextGrid.")
    if bool(ports) != (kind in (".npz", ".csv")):
        raise click.UsageError("Name the ports with --port for .npz and .csv; .ds and .TextGrid have their own.")
    jobs.check_output(output)
    with jobs.open_job(song, jobs.Wishes(voice=voice, seed=seed), Workspace(cache_dir), sung=True) as job:
        chosen = chosen_phrases(job, phrases)
        writers = {".ds": ds_of, ".textgrid": textgrid_of}
        content = writers[kind](job, chosen) if kind in writers else ports_of(job, chosen, ports, kind)
        jobs.write_whole(output, content)
    click.echo(output)
    return 0


def chosen_phrases(job: Job, written: tuple[str, ...]) -> tuple[Placed, ...]:
    """Return the phrases that are meant, in the order of the song; all if none is named."""
    if not written:
        return job.assembly.placed
    from quincunx_orchestrator.score.model import Score

    placed = job.assembly.placed
    score = job.score
    names = {_name_in_score(score, one) if isinstance(score, Score) else str(one) for one in written}
    found = tuple(one for one in placed if one.segment.id in names)
    missing = names - {one.segment.id for one in found}
    if missing:
        from quincunx_shared.errors import BadInput
        from quincunx_shared.hints import did_you_mean

        name = min(missing)
        hint = did_you_mean(name, [one.segment.id for one in placed])
        raise BadInput(f"the phrase {name!r} is not sung{hint}", where="--phrase")
    return found


def _name_in_score(score: Score, written: str) -> SegmentId:
    from quincunx_orchestrator.project.places import phrase_named
    from quincunx_orchestrator.score.phrasing import phrases_of
    from quincunx_orchestrator.song.phrase_names import names_of

    phrases = phrases_of(score)
    names = names_of(phrases)
    return names[phrase_named(score, names, phrases, written)]


def ports_of(job: Job, chosen: tuple[Placed, ...], written: tuple[str, ...], kind: str) -> bytes:
    """Render what the ports need, and return the file."""
    from quincunx_orchestrator.song.port_tables import write_csv, write_npz
    from quincunx_orchestrator.song.port_values import PH_DUR, PH_SEQ, port_of

    keys = {name: (PH_SEQ, PH_DUR) if name == PHONES else (port_of(name, job.assembly),) for name in written}
    results = made(job, chosen, [key for found in keys.values() for key in found])
    exported = [_exported(job, one, name, results) for one in chosen for name in keys]
    return write_npz(exported) if kind == ".npz" else write_csv(exported)


def _exported(job: Job, placed: Placed, name: str, results: Mapping[Address, Payload]) -> Exported:
    import numpy as np

    from quincunx_orchestrator.song.port_tables import Exported
    from quincunx_orchestrator.song.port_values import frame_seconds, phones_of, port_of, value_at

    rate = job.assembly.sample_rate
    if name == PHONES:
        return Exported(placed.segment.id, name, None, np.zeros(0), phones_of(placed, rate, results))
    value = value_at(placed, port_of(name, job.assembly), results)
    count = len(value) if isinstance(value, np.ndarray) and value.ndim else 0
    # Phones and samples are no frames; a value that is longer than the phrase has frames has none.
    framed = not name.endswith((".ph_dur", ".audio"))
    return Exported(placed.segment.id, name, value, frame_seconds(placed, rate, count if framed else 0))


def textgrid_of(job: Job, chosen: tuple[Placed, ...]) -> bytes:
    """Return tiers of phrases, notes and phones, of each track its own."""
    from quincunx_orchestrator.song.port_values import PH_DUR, PH_SEQ, Spoken, notes_of, phones_of
    from quincunx_orchestrator.song.textgrid import write_textgrid

    results, rate = made(job, chosen, [PH_SEQ, PH_DUR]), job.assembly.sample_rate
    tracks = sorted({one.track for one in chosen})
    tiers: dict[str, list[Spoken]] = {}
    for track in tracks:
        mark = f" {track + 1}" if len(tracks) > 1 else ""
        placed = [one for one in chosen if one.track == track]
        phones = [[phone for phone in phones_of(one, rate, results) if phone.text != "SP"] for one in placed]
        notes = [notes_of(one, rate) for one in placed]
        spans = [(found, said) for found, said in zip(map(list.__add__, notes, phones), placed, strict=True) if found]
        tiers[f"phrases{mark}"] = [
            Spoken(min(one.start for one in found), max(one.end for one in found), said.segment.label)
            for found, said in spans
        ]
        tiers[f"notes{mark}"] = [one for found in notes for one in found]
        tiers[f"phones{mark}"] = [one for found in phones for one in found]
    return write_textgrid(tiers, max((one.end for tier in tiers.values() for one in tier), default=0.0))


def ds_of(job: Job, chosen: tuple[Placed, ...]) -> bytes:
    """Return the phrases as a .ds file."""
    from dataclasses import replace

    from quincunx_orchestrator.score.ds_writer import write_ds
    from quincunx_orchestrator.score.transcript import Transcript
    from quincunx_orchestrator.song.transcription import transcribe, transcribed_ports
    from quincunx_shared.errors import BadInput

    if isinstance(job.score, Transcript):
        raise BadInput("this is a .ds file already", where=job.path.name)
    assembly = replace(job.assembly, placed=chosen)
    if len({one.track for one in chosen}) > 1:
        remedy = "choose the phrases of one track with --phrase, or write a file a track with `quincunx transcribe`"
        raise BadInput("a .ds file is one voice, and several tracks sing", where="--phrase", remedy=remedy)
    (transcript,) = transcribe(assembly, _rendered(job, [*transcribed_ports(assembly)])).values()
    for loss in transcript.notices:
        click.echo(f"Note: {loss}.", err=True)
    return write_ds(transcript)


def made(job: Job, chosen: Sequence[Placed], keys: Sequence[PortKey]) -> Mapping[Address, Payload]:
    """Render what some ports of some phrases need, and return the values of outputs."""
    from quincunx_orchestrator.song.port_values import maker_of

    makers = (maker_of(one, key) for one in chosen for key in keys)
    return _rendered(job, [*dict.fromkeys(maker for maker in makers if maker is not None)])


def _rendered(job: Job, targets: Sequence[Address]) -> Mapping[Address, Payload]:
    from quincunx_shared.errors import StepFailed

    if not targets:
        return {}
    result = job.studio.render(job.assembly, targets)
    for (segment, node), error in result.failed.items():
        raise StepFailed(job.in_song(segment, error), where=f"{job.label_of(segment)} ({node})")
    return result.payloads
