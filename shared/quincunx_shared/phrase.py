"""The music of one phrase, as the steps receive it.

Every tick is relative to the phrase's anchor, the start of its first note, and the tempo events are the ones in
force around it, relative as well. So a phrase that is moved as it stands keeps every byte of its payloads, and with
them its signatures.

Each class is one port's payload: `to_payload()` gives plain JSON, `from_payload()` reads it back. What may change
independently of the rest is a payload of its own, so that an edit reaches only the steps that read it:

    Lyrics   → phonemize          words, hints, extensions
    Timing   → duration, pitch …  tempo, note starts and durations
    Melody   → pitch              tones, pitch points, vibrato
    DrawnCurve (one a port)       PITD → pitch; gender, … → acoustic; DYN → post
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from quincunx_shared.canonical import Json
from quincunx_shared.tempo import TempoEvent, TempoMap

#: How a lyric continues the previous note: not at all, with the word's next syllable, or with the same vowel.
Extension = Literal["", "syllable", "vowel"]

#: The shape of a pitch point's way to the next: in-out, in, out, linear, spline.
PointShape = Literal["io", "i", "o", "l", "sp"]


@dataclass(frozen=True, slots=True)
class Lyric:
    """What one note sings. `hint` holds phonemes a person wrote in brackets, split at spaces."""

    text: str
    hint: tuple[str, ...] = ()
    extension: Extension = ""


@dataclass(frozen=True, slots=True)
class Lyrics:
    """The lyrics of all notes of a phrase, in order; `touching[i]` says whether note i starts where i-1 ended."""

    notes: tuple[Lyric, ...]
    touching: tuple[bool, ...]

    def to_payload(self) -> Json:
        return {
            "notes": [[one.text, list(one.hint), one.extension] for one in self.notes],
            "touching": list(self.touching),
        }

    @classmethod
    def from_payload(cls, payload: Any) -> Lyrics:
        notes = tuple(Lyric(text, tuple(hint), extension) for text, hint, extension in payload["notes"])
        return cls(notes, tuple(payload["touching"]))


@dataclass(frozen=True, slots=True)
class Timing:
    """When the notes sound. `tempo` covers the phrase and starts at or before tick 0."""

    tempo: tuple[TempoEvent, ...]
    start_ticks: tuple[int, ...]
    duration_ticks: tuple[int, ...]

    @property
    def end_tick(self) -> int:
        """Where the last note ends."""
        return max(start + length for start, length in zip(self.start_ticks, self.duration_ticks, strict=True))

    def note_seconds(self) -> list[tuple[float, float]]:
        """Start and end of every note in seconds from the anchor."""
        axis = self.axis()
        spans = zip(self.start_ticks, self.duration_ticks, strict=True)
        return [(axis.seconds_at(start), axis.seconds_at(start + length)) for start, length in spans]

    def axis(self) -> TempoMap:
        """Tick ↔ second with second 0 at the anchor."""
        return TempoMap(self.tempo, origin_tick=0)

    def to_payload(self) -> Json:
        return {
            "tempo": [[event.tick, event.bpm, event.end_bpm] for event in self.tempo],
            "starts": list(self.start_ticks),
            "durations": list(self.duration_ticks),
        }

    @classmethod
    def from_payload(cls, payload: Any) -> Timing:
        tempo = tuple(TempoEvent(tick, bpm, end_bpm) for tick, bpm, end_bpm in payload["tempo"])
        return cls(tempo, tuple(payload["starts"]), tuple(payload["durations"]))


@dataclass(frozen=True, slots=True)
class PitchPoint:
    """A control point of a note's portamento: milliseconds from the note's start, cents from the note's tone."""

    ms: float
    cents: float
    shape: PointShape = "io"


@dataclass(frozen=True, slots=True)
class Vibrato:
    """Sine vibrato over the last `length` percent of a note. Units as in OpenUTAU: see the reader."""

    length: float
    period_ms: float = 175.0
    depth_cents: float = 25.0
    fade_in: float = 10.0
    fade_out: float = 10.0
    shift: float = 0.0
    drift: float = 0.0


@dataclass(frozen=True, slots=True)
class NoteMelody:
    """The pitch of one note: MIDI tone (fractions are tuning), portamento, vibrato."""

    tone: float
    points: tuple[PitchPoint, ...] = ()
    snap_first: bool = True
    vibrato: Vibrato | None = None


@dataclass(frozen=True, slots=True)
class Melody:
    """The pitch of all notes of a phrase, in order."""

    notes: tuple[NoteMelody, ...]

    def to_payload(self) -> Json:
        return [_melody_payload(note) for note in self.notes]

    @classmethod
    def from_payload(cls, payload: Any) -> Melody:
        return cls(tuple(_melody_note(one) for one in payload))


@dataclass(frozen=True, slots=True)
class DrawnCurve:
    """A curve drawn over the phrase: linear between its points, `default` before the first and after the last.

    The empty curve is `default` everywhere.
    """

    ticks: tuple[int, ...] = ()
    values: tuple[float, ...] = ()
    default: float = 0.0

    def to_payload(self) -> Json:
        return {"ticks": list(self.ticks), "values": list(self.values), "default": self.default}

    @classmethod
    def from_payload(cls, payload: Any) -> DrawnCurve:
        return cls(tuple(payload["ticks"]), tuple(payload["values"]), payload["default"])


def _melody_payload(note: NoteMelody) -> Json:
    vibrato = note.vibrato
    return {
        "tone": note.tone,
        "points": [[point.ms, point.cents, point.shape] for point in note.points],
        "snap_first": note.snap_first,
        "vibrato": None
        if vibrato is None
        else [
            vibrato.length,
            vibrato.period_ms,
            vibrato.depth_cents,
            vibrato.fade_in,
            vibrato.fade_out,
            vibrato.shift,
            vibrato.drift,
        ],
    }


def _melody_note(payload: Any) -> NoteMelody:
    points = tuple(PitchPoint(ms, cents, shape) for ms, cents, shape in payload["points"])
    vibrato = None if payload["vibrato"] is None else Vibrato(*payload["vibrato"])
    return NoteMelody(payload["tone"], points, payload["snap_first"], vibrato)
