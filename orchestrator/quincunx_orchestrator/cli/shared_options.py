"""The flags that `render`, `demo` and `why` share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import click

from quincunx_orchestrator.cli.cache_size import DEFAULT_BYTES, cache_size_option
from quincunx_orchestrator.cli.documents import json_option
from quincunx_orchestrator.cli.model_options import model_options
from quincunx_orchestrator.cli.sound_options import (
    beside_options,
    file_options,
    predict_options,
    range_option,
    room_options,
    take_options,
)
from quincunx_orchestrator.cli.workspace import Workspace, isolate_options

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


@dataclass(frozen=True)
class Choices:
    """The flags as they were given."""

    voice: str = ""
    voice_for: tuple[str, ...] = ()
    strict_voice: bool = False
    vocoder_dir: tuple[Path, ...] = ()
    seed: int | None = None
    steps: int = 20
    acoustic_seed: int | None = None
    depth: float = 1.0
    predict: tuple[Literal["duration", "pitch"], ...] | None = None
    natural: bool | None = None
    reverb: float | None = None
    bits: Literal["16", "24", "float"] = "16"
    rate: int | None = None
    loudness: float | None = -16.0
    true_peak: float | None = -1.0
    stems: Path | None = None
    phrases: Path | None = None
    stretch: str | None = None
    cut: str = "rests"
    isolate: tuple[str, ...] = ()
    isolate_seconds: float = 300.0
    isolate_memory: float = 4.0
    model_seconds: float = 0.0
    model_memory: float = 0.0
    threads: int = 0
    device: Literal["cpu", "cuda"] | None = None
    picture: Path | None = None
    cache_size: float = DEFAULT_BYTES
    farm: bool = False
    dry_run: bool = False
    explain: bool = False
    as_json: bool = False
    quiet: bool = False

    def workspace(self, cache_dir: Path | None) -> Workspace:
        """The machine as these flags want it."""
        apart = (tuple(self.isolate), self.isolate_seconds, self.isolate_memory)
        models = (self.model_seconds, self.model_memory)
        return Workspace(cache_dir, tuple(self.vocoder_dir), self.threads, self.device, apart, models, self.cache_size)


#: What decides what a render computes.
_WHAT = (
    click.option("--voice", default="", metavar="NAME|FOLDER", help="Sing every track with this voice."),
    click.option(
        "--voice-for",
        multiple=True,
        metavar="TRACK=NAME|FOLDER",
        help="Sing one track, by number or name, with this voice. May be given several times.",
    ),
    click.option("--strict-voice", is_flag=True, help="Refuse a singer that is not installed."),
    click.option(
        "--vocoder-dir",
        multiple=True,
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="Where else to look for the vocoder a bank names. May be given several times.",
    ),
    *take_options,
    *predict_options,
    *file_options,
    *room_options,
    range_option,
    click.option("--cut", default="rests", metavar="NAME", help="Where phrases end: rests, track, or a plug-in's way."),
    *isolate_options,
    *model_options,
    click.option(
        "--device",
        type=click.Choice(["cpu", "cuda"]),
        help="What runs the models.  [default: cuda if onnxruntime-gpu is installed]",
    ),
    json_option,
)

#: How it is carried out, and what is told meanwhile.
_HOW = (
    click.option("--threads", type=click.IntRange(0, 256), default=0, help="Phrases at once.  [default: one a core]"),
    click.option("--farm", is_flag=True, help="Compute on the farm; where none is configured, on one started here."),
    click.option("--dry-run", is_flag=True, help="Say what would be computed, and stop."),
    click.option("--explain", is_flag=True, help="Say why each step is computed."),
    cache_size_option,
    click.option("-q", "--quiet", is_flag=True, help="Only errors."),
)


picture_option = click.option(
    "--picture",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.png",
    help="Draw the song as well: waveform, spectrogram, notes with the sung pitch, phones.",
)


def render_options(command: Decorated) -> Decorated:
    """Add the flags of a command that renders."""
    return _with((*_WHAT, *beside_options, *_HOW), command)


def plan_options(command: Decorated) -> Decorated:
    """Add the flags of a command that only says what a render would do."""
    return _with((*_WHAT, *beside_options), command)


def song_options(command: Decorated) -> Decorated:
    """Add the flags of a command that has one song computed and writes nothing beside it."""
    return _with(_WHAT, command)


def _with(options: Sequence[Callable[[Decorated], Decorated]], command: Decorated) -> Decorated:
    for option in reversed(options):
        command = option(command)
    return command
