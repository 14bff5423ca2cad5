"""A song as it was written: tracks, parts, notes and curves, whatever file it came from.

Units are those of the field: ticks (480 a quarter note), MIDI tones, cents, milliseconds, decibels. Everything is
checked by the reader that builds it, so whoever takes a `Score` may trust these promises:

- tempos and time signatures are not empty, ascend, and begin at tick 0 and bar 0;
- `Part.track` and `WavePart.track` are indices into `Score.tracks`;
- the notes of a part ascend and none overlaps the next; every duration is at least one tick;
- the pitch points of a note ascend; two may stand at one moment;
- the ticks of a curve ascend strictly, and it has as many values as ticks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from quincunx_shared.phrase import Lyric, PitchPoint, Vibrato
from quincunx_shared.tempo import TempoEvent


@dataclass(frozen=True, slots=True)
class TimeSignature:
    """The metre from a bar on, counted from 0: `beats` notes of 1/`unit` a bar."""

    bar: int
    beats: int
    unit: int


@dataclass(frozen=True, slots=True)
class Track:
    """A voice of the song: who sings it, and how loud and where it stands in the mix.

    `volume_db` is the fader as the file has it; `pan` goes from -100 (left) to 100 (right).
    """

    name: str
    singer: str = ""
    phonemizer: str = ""
    volume_db: float = 0.0
    pan: float = 0.0
    mute: bool = False
    solo: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """A note; its position counts from the start of its part."""

    position_tick: int
    duration_ticks: int
    tone: int
    lyric: Lyric
    tuning_cents: float = 0.0
    points: tuple[PitchPoint, ...] = ()
    #: Whether the first pitch point starts from the previous note's pitch rather than from where it was drawn.
    snap_first: bool = True
    vibrato: Vibrato | None = None

    @property
    def end_tick(self) -> int:
        """Where the note ends, from the start of its part."""
        return self.position_tick + self.duration_ticks


@dataclass(frozen=True, slots=True)
class PartCurve:
    """A curve drawn over a part, in the units of its file; ticks count from the start of the part.

    Outside its points, and everywhere if it has none, it is `default`.
    """

    ticks: tuple[int, ...]
    values: tuple[float, ...]
    default: float


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of notes on a track, with the curves drawn over it by their abbreviation (`dyn`, `pitd`, …)."""

    track: int
    position_tick: int
    notes: tuple[Note, ...]
    curves: Mapping[str, PartCurve] = field(default_factory=dict)
    name: str = ""


@dataclass(frozen=True, slots=True)
class WavePart:
    """A recording laid on a track: heard from `position_tick` on, without its first `skip_ticks` and last `trim_ticks`.

    `path` is what the file says, relative to it; nobody has looked yet whether anything lies there.
    """

    track: int
    position_tick: int
    path: str
    name: str = ""
    skip_ticks: float = 0.0
    trim_ticks: float = 0.0
    fade_in_ticks: float = 0.0
    fade_out_ticks: float = 0.0


@dataclass(frozen=True, slots=True)
class Score:
    """A song. `notices` say in sentences what the reader left out or could not apply."""

    name: str
    tracks: tuple[Track, ...]
    parts: tuple[Part, ...]
    tempos: tuple[TempoEvent, ...]
    time_signatures: tuple[TimeSignature, ...]
    notices: tuple[str, ...] = ()
    wave_parts: tuple[WavePart, ...] = ()

    def heard_tracks(self) -> frozenset[int]:
        """The tracks with notes that are heard."""
        return self.open_tracks() & {part.track for part in self.parts if part.notes}

    def open_tracks(self) -> frozenset[int]:
        """The tracks that are not switched off: if any track is solo, only solo ones; a muted one never."""
        solo = any(track.solo for track in self.tracks)
        heard = (number for number, track in enumerate(self.tracks) if not track.mute and (track.solo or not solo))
        return frozenset(heard)
