"""From what was typed to renders: which song, with which seed, to which files. Contradictions are refused here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click
from click.core import ParameterSource

from quincunx_orchestrator.cli.job import Wishes
from quincunx_orchestrator.cli.outputs import Places
from quincunx_orchestrator.cli.shared_options import Choices
from quincunx_orchestrator.cli.sound_options import SEED_LIMIT
from quincunx_orchestrator.song.file_names import batch_paths, refuse_collisions, take_path
from quincunx_orchestrator.song.phrase_graph import Delivery, Take
from quincunx_orchestrator.song.range import parse_range
from quincunx_orchestrator.song.sound_formats import container_of, subtype_of


@dataclass(frozen=True)
class Asked:
    """The arguments of `render` that say which songs become which files."""

    songs: tuple[Path, ...]
    output: Path | None = None
    out_dir: Path | None = None
    container: str | None = None
    takes: int | None = None
    keep: int | None = None


@dataclass(frozen=True)
class Task:
    """One render: a song, where its files go, and how it is to sound."""

    song: Path
    places: Places
    wishes: Wishes


def tasks_of(asked: Asked, choices: Choices) -> tuple[Task, ...]:
    """Return the renders that were asked for, in order."""
    _refuse_contradictions(asked, choices)
    many = len(asked.songs) > 1 or asked.takes is not None
    tasks = tuple(
        Task(song, _places(output, choices, many), replace(wishes_from(output, choices, asked.keep), number=number))
        for song, first in _outputs(asked).items()
        for number, output in _takes(first, asked.takes)
    )
    refuse_collisions(task.places.song.absolute() for task in tasks)
    if not choices.dry_run:
        for task in tasks:
            task.places.check(makes_folder=asked.out_dir is not None)
    return tasks


def wishes_from(output: Path, choices: Choices, keep: int | None = None) -> Wishes:
    """Turn flags into wishes; what the output's name and the flags contradict in is refused."""
    container = container_of(output.name)
    delivery = Delivery(
        container,
        subtype_of(container, choices.bits),
        choices.rate,
        choices.loudness,
        choices.true_peak,
        _level_asked(),
        stems=choices.stems is not None,
        phrases=choices.phrases is not None,
        stretch=parse_range(choices.stretch) if choices.stretch is not None else None,
        reverb=choices.reverb or 0.0,
    )
    take = Take(0, choices.acoustic_seed, choices.steps, choices.depth, choices.predict, natural=bool(choices.natural))
    return Wishes(
        choices.voice,
        choices.strict_voice,
        take,
        delivery,
        choices.cut,
        choices.voice_for,
        seed=choices.seed,
        keep=keep,
    )


def _level_asked() -> bool:
    """Whether a person named a level, even the default one."""
    context = click.get_current_context(silent=True)
    asked = ParameterSource.COMMANDLINE
    return context is not None and asked in (context.get_parameter_source(one) for one in ("loudness", "true_peak"))


def _refuse_contradictions(asked: Asked, choices: Choices) -> None:
    if asked.output is not None and asked.out_dir is not None:
        raise click.UsageError("-o names a file and --out-dir a folder: give one of them.")
    if len(asked.songs) > 1 and asked.output is not None:
        raise click.UsageError("Several songs need a folder: --out-dir DIR instead of -o.")
    if len(asked.songs) > 1 and asked.out_dir is None and not choices.dry_run:
        raise click.UsageError("Where to? Name the folder to write to with --out-dir DIR.")
    if asked.output is None and asked.out_dir is None and not choices.dry_run:
        raise click.UsageError("Where to? Name the file to write with -o, such as -o song.wav.")
    if asked.container is not None and asked.out_dir is None:
        raise click.UsageError("--format goes with --out-dir; with -o the end of the file's name decides.")
    if asked.keep is not None and (asked.takes is not None or choices.seed is not None or len(asked.songs) > 1):
        raise click.UsageError("--keep N renders the take that it keeps: leave out --takes, --seed and other songs.")
    if (choices.seed or 0) + (asked.takes or 1) - 1 > SEED_LIMIT:
        raise click.UsageError(
            f"The last of these takes would have a seed above {SEED_LIMIT}: choose a smaller --seed."
        )
    if choices.picture is not None and (asked.takes is not None or len(asked.songs) > 1):
        raise click.UsageError("--picture draws one song: leave out --takes and other songs.")


def _outputs(asked: Asked) -> dict[Path, Path]:
    if asked.output is not None:
        return {asked.songs[0]: asked.output}
    return batch_paths(asked.songs, asked.out_dir or Path(), asked.container or "wav")


def _takes(output: Path, count: int | None) -> Iterator[tuple[int, Path]]:
    """Number the takes of a song from 1; the only one of a plain render has no number."""
    if count is None:
        yield 0, output
        return
    for number in range(1, count + 1):
        yield number, take_path(output, number)


def _places(output: Path, choices: Choices, many: bool) -> Places:
    """Where one render writes; each of several has folders of its own in those of stems and phrases."""
    stems, phrases = choices.stems, choices.phrases
    if many:
        stems = stems / output.stem if stems else None
        phrases = phrases / output.stem if phrases else None
    return Places(output, stems, phrases, choices.picture)


def songs_of(tasks: Sequence[Task]) -> tuple[Path, ...]:
    """Return the songs of some renders, each once."""
    return tuple(dict.fromkeys(task.song for task in tasks))
