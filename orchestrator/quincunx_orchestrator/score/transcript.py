"""A transcript: segments ready to be sung, phoneme by phoneme, in seconds. What a .ds file of DiffSinger holds.

Where a score leaves to the steps how long a phoneme lasts and how the pitch moves, a transcript may say it. What it
leaves out is predicted. Whoever takes a `Transcript` may trust these promises:

- a segment has phonemes, and `ph_dur` as many seconds, none of them negative, or None;
- `ph_num` counts all phonemes; words by it are as many as notes that are no slur;
- without `ph_dur` there are `ph_num` and notes; without `f0` there are notes;
- curves have values, and a time step above 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class SampledCurve:
    """Values at even distances of `timestep` seconds, from the start of a segment."""

    values: tuple[float, ...]
    timestep: float


#: The same all the time, or a curve.
Level: TypeAlias = float | SampledCurve

#: Curves besides f0, each with a time step of its own; gender −1 … 1, velocity 1 is normal, tension without a unit,
#: the others in dB. `expr` is for models that predict pitch.
LEVELS = ("gender", "velocity", "energy", "breathiness", "voicing", "tension", "expr")


@dataclass(frozen=True, slots=True)
class WrittenNote:
    """A note of a segment: its name (`C4`, `A#3`, `C4+12`, `rest`), its seconds, and whether it goes on with the word.

    `tone` is the MIDI tone the name means, None for a rest.
    """

    name: str
    seconds: float
    tone: float | None
    slur: bool = False


@dataclass(frozen=True)
class DsSegment:
    """One segment. `offset` is where it starts in the song, in seconds; `seed` chooses its take."""

    ph_seq: tuple[str, ...]
    offset: float = 0.0
    text: str = ""
    lang: str = ""
    ph_dur: tuple[float, ...] | None = None
    ph_num: tuple[int, ...] = ()
    notes: tuple[WrittenNote, ...] = ()
    glides: tuple[str, ...] = ()
    f0: SampledCurve | None = None
    levels: Mapping[str, Level] = field(default_factory=dict)
    spk_mix: Mapping[str, Level] = field(default_factory=dict)
    ph_spk_mix: Mapping[str, float | tuple[float, ...]] = field(default_factory=dict)
    seed: int | None = None

    @property
    def word_seconds(self) -> tuple[float, ...]:
        """How long each word lasts: a note and the slurs behind it."""
        words: list[float] = []
        for note in self.notes:
            if note.slur and words:
                words[-1] += note.seconds
            else:
                words.append(note.seconds)
        return tuple(words)


@dataclass(frozen=True)
class Transcript:
    """The segments of a file, in its order. `notices` tell what a person should know that is no error.

    `file` is the name errors are told under; two files with the same segments are the same transcript.
    """

    segments: tuple[DsSegment, ...]
    notices: tuple[str, ...] = ()
    file: str = field(default="", compare=False)

    def place(self, number: int, member: str) -> str:
        """Return where a member of a segment stands: `song.ds: [3].offset`."""
        path = f"[{number}].{member}"
        return f"{self.file}: {path}" if self.file else path
