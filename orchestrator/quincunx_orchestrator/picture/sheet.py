"""What a picture shows, in seconds of the song and MIDI tones, before anything has a place on a page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SungNote:
    """A note as it was written. `sounds` spells its phones, for pages that lack the glyphs of its lyric."""

    start: float
    end: float
    tone: float
    text: str
    track: int
    sounds: str = ""


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone as it was timed."""

    start: float
    end: float
    symbol: str
    track: int

    @property
    def name(self) -> str:
        """The phone without its language."""
        return self.symbol.rsplit("/", 1)[-1]

    @property
    def silent(self) -> bool:
        """Whether nothing is sung here: silence, or a breath."""
        return self.symbol in ("SP", "AP")


@dataclass(frozen=True, slots=True, eq=False)
class PitchLine:
    """A stretch of sung pitch: MIDI tones (fractions are cents) at moments, float64[n] both."""

    seconds: Floats
    tones: Floats
    track: int


@dataclass(frozen=True, slots=True)
class Bar:
    """Where a bar begins, counted from 1."""

    number: int
    seconds: float


@dataclass(frozen=True, eq=False)
class Sheet:
    """A song, or a stretch of one, to look at. All seconds are those of the song.

    `samples` is what sounds, float32[channels, N], from second `start` on; `tracks` are the names of all tracks.
    """

    title: str
    facts: tuple[str, ...]
    tracks: tuple[str, ...]
    notes: tuple[SungNote, ...]
    phones: tuple[Phone, ...]
    lines: tuple[PitchLine, ...]
    bars: tuple[Bar, ...]
    beats: tuple[float, ...]
    samples: npt.NDArray[np.float32]
    sample_rate: int
    start: float = 0.0

    @property
    def end(self) -> float:
        """Where the sound ends."""
        return self.start + self.seconds

    @property
    def seconds(self) -> float:
        """How long the sound is."""
        return float(self.samples.shape[1] / self.sample_rate)

    @cached_property
    def mono(self) -> npt.NDArray[np.float32]:
        """The mean of the channels: float32[N]."""
        return np.asarray(np.add.reduce(np.ascontiguousarray(self.samples), axis=0) / len(self.samples), np.float32)

    @cached_property
    def peak(self) -> float:
        """The largest sample, never 0."""
        return max(float(np.max(self.samples, initial=0.0)), -float(np.min(self.samples, initial=0.0)), 1e-6)

    @cached_property
    def sung_tracks(self) -> tuple[int, ...]:
        """The tracks that have something to show, highest voice first, as a score has them."""
        tones: dict[int, list[float]] = {}
        for note in self.notes:
            tones.setdefault(note.track, []).append(note.tone)
        return tuple(sorted(tones, key=lambda track: (-sum(tones[track]) / len(tones[track]), track)))

    def legible(self, drawable: Callable[[str], bool]) -> Sheet:
        """Return the sheet with texts of one line; those that cannot be drawn are spelled by sounds, or left out."""
        notes = (
            replace(one, text=_line(one.text) if drawable(one.text) else one.sounds if drawable(one.sounds) else "")
            for one in self.notes
        )
        tracks = (_line(name) if drawable(name) else f"Track {number}" for number, name in enumerate(self.tracks, 1))
        title = _line("".join(sign for sign in self.title if drawable(sign)))
        return replace(self, notes=tuple(notes), tracks=tuple(tracks), title=title)


def _line(text: str) -> str:
    return " ".join(text.split())
