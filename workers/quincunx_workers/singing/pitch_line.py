"""The pitch line of a phrase: notes, vibrato, pitch points and PITD become cents on a raster of 5 ticks.

This is OpenUTAU's pitch of a render phrase, so that a song is sung here as it was drawn there. Cents count from
MIDI tone 0. In this order:

    flat       each note's tone up to its end; a rest has the tone of the note after it
    vibrato    a sine over the last `length` percent of a note
    points     what the line through a note's pitch points has over the tone it leaves, added
    PITD       the drawn curve, added
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from quincunx_shared.curve import sample_drawn
from quincunx_shared.errors import BadInput
from quincunx_shared.phrase import DrawnCurve, Melody, NoteMelody, PointShape, Timing, Vibrato
from quincunx_shared.tempo import TempoMap

Floats = npt.NDArray[np.float64]

#: The raster of pitch, in ticks from the anchor.
RASTER_TICKS = 5

#: A pitch point as it is joined: tick, cents, shape.
_Point: TypeAlias = tuple[float, float, PointShape]


def raster(timing: Timing) -> Floats:
    """Return the ticks the line is known at: from the anchor up to the end of the last note, float64[n]."""
    return np.arange(0, timing.end_tick + 1, RASTER_TICKS, dtype=np.float64)


def pitch_line(timing: Timing, melody: Melody, pitd: DrawnCurve) -> Floats:
    """Return cents on the raster of the phrase: float64[n]. Raises `BadInput` unless every note has a melody."""
    if not len(melody.notes) == len(timing.start_ticks) > 0:
        raise BadInput(f"{len(melody.notes)} tones for {len(timing.start_ticks)} notes", where="melody")
    ticks, axis = raster(timing), timing.axis()
    notes = _notes(timing, melody)
    tones = np.array([note.cents for note in notes], dtype=np.float64)

    cents = tones[np.minimum(np.searchsorted([note.end for note in notes], ticks, side="right"), len(notes) - 1)]
    for note in notes:
        if note.melody.vibrato is not None and note.melody.vibrato.length > 0:
            _add_vibrato(cents, ticks, note, note.melody.vibrato)
    _add_lines(cents, ticks, [line for note in notes for line in _lines(note, axis)])
    return cents + sample_drawn(pitd, ticks)


@dataclass(frozen=True, slots=True)
class _Note:
    """A note in ticks and cents, with what it needs to know of the one before: where that ends, and its tone."""

    start: int
    end: int
    start_seconds: float
    end_seconds: float
    melody: NoteMelody
    previous_end: float
    previous_cents: float

    @property
    def cents(self) -> float:
        """The note's tone, tuning included."""
        return self.melody.tone * 100


@dataclass(frozen=True, slots=True)
class _Line:
    """The way from one pitch point to the next, and what of it is already there.

    `slopes` are those of a spline at both ends, in cents over the whole way. Before `previous_end` the raster holds
    the tone of the previous note.
    """

    x0: float
    x1: float
    y0: float
    y1: float
    shape: PointShape
    slopes: tuple[float, float]
    previous_end: float
    previous_cents: float
    cents: float


def _notes(timing: Timing, melody: Melody) -> list[_Note]:
    notes: list[_Note] = []
    end, cents = -math.inf, 0.0
    rows = zip(timing.start_ticks, timing.duration_ticks, timing.note_seconds(), melody.notes, strict=True)
    for start, duration, seconds, own in rows:
        notes.append(_Note(start, start + duration, *seconds, own, end, cents))
        end, cents = start + duration, own.tone * 100
    return notes


def _add_vibrato(cents: Floats, ticks: Floats, note: _Note, vibrato: Vibrato) -> None:
    """Add a note's vibrato in place; n goes from 0 to 1 over the note."""
    place = slice(-(-note.start // RASTER_TICKS), -(-note.end // RASTER_TICKS))
    n = (ticks[place] - note.start) / (note.end - note.start)
    part = min(vibrato.length, 100) / 100
    start, rise, fall = 1 - part, part * vibrato.fade_in / 100, part * vibrato.fade_out / 100
    period = vibrato.period_ms / 1000 / (note.end_seconds - note.start_seconds)

    sine = np.sin(2 * np.pi * ((n - start) / period + vibrato.shift / 100))
    gain = np.where(n < start, 0.0, 1.0)
    fading, rising = n > 1 - fall, (n >= start) & (n < start + rise)
    # Rising last: where both overlap, OpenUTAU fades in. Over the masks alone, since a fade may have no length.
    gain[fading] *= (1 - n[fading]) / fall
    gain[rising] = (n[rising] - start) / rise
    cents[place] += gain * vibrato.depth_cents * (sine + vibrato.drift / 100)


def _lines(note: _Note, axis: TempoMap) -> Iterator[_Line]:
    """Return the ways between a note's pitch points, completed to the note's start and end."""
    given = _points(note, axis)
    if not given:
        return
    points = given
    if given[0][0] > note.start:
        points = [(note.start, given[0][1], "l"), *points]
    if given[-1][0] < note.end:
        points = [*points, (note.end, given[-1][1], "l")]
    inner = len(points) - (given[-1][0] < note.end)

    for right in range(1, len(points)):
        (x0, y0, shape), (x1, y1, _) = points[right - 1], points[right]
        slopes = (0.0, 0.0)
        if shape == "sp" and (len(given) < 3 or right >= inner):
            shape = "io"
        elif shape == "sp" and x1 > x0:
            slopes = _spline_slopes(points, right)
        yield _Line(x0, x1, y0, y1, shape, slopes, note.previous_end, note.previous_cents, note.cents)


def _points(note: _Note, axis: TempoMap) -> list[_Point]:
    """Return a note's pitch points in ticks (whole ones, half to even) and cents. None lies before its predecessor."""
    found: list[_Point] = []
    for number, point in enumerate(note.melody.points):
        tick = round(axis.tick_at(note.start_seconds + point.ms / 1000))
        cents = note.cents + point.cents
        if number == 0 and note.melody.snap_first:
            cents = note.previous_cents if note.previous_end == note.start else note.cents
        found.append((max(tick, found[-1][0]) if found else tick, cents, point.shape))
    return found


def _spline_slopes(points: Sequence[_Point], right: int) -> tuple[float, float]:
    """Return Catmull-Rom slopes at both ends of a way; the outermost points are their own neighbours."""
    before, left, here = points[max(right - 2, 0)], points[right - 1], points[right]
    after = points[min(right + 1, len(points) - 1)]
    width = here[0] - left[0]
    return (here[1] - before[1]) * width / (here[0] - before[0]), (after[1] - left[1]) * width / (after[0] - left[0])


#: How far on its way a line is, by shape: 0 at its left point, 1 at its right. A spline adds its slopes to this.
EASES: Mapping[PointShape, Callable[[Floats], Floats]] = {
    "io": lambda t: 0.5 - 0.5 * np.cos(np.pi * t),
    "i": lambda t: 1 - np.cos(np.pi / 2 * t),
    "o": lambda t: np.sin(np.pi / 2 * t),
    "l": lambda t: t,
    "sp": lambda t: t * t * (3 - 2 * t),
}


def _add_lines(cents: Floats, ticks: Floats, lines: Sequence[_Line]) -> None:
    """Add in place what every line has over the tone it leaves; all lines at once, since most are a few points."""
    if not lines:
        return
    begin, end = np.array([(line.x0, line.x1) for line in lines]).T
    first, behind = (np.clip(np.ceil(one / RASTER_TICKS).astype(np.int64), 0, len(ticks)) for one in (begin, end))
    counts = np.maximum(behind - first, 0)
    row = np.repeat(np.arange(len(lines)), counts)
    place = np.arange(len(row)) + np.repeat(first - np.cumsum(counts) + counts, counts)

    way, bend = _way((ticks[place] - begin[row]) / (end - begin)[row], row, lines)
    y0, y1, until, before, own = np.array(
        [(line.y0, line.y1, line.previous_end, line.previous_cents, line.cents) for line in lines]
    ).T[:, row]
    np.add.at(cents, place, y0 + (y1 - y0) * way + bend - np.where(ticks[place] < until, before, own))


def _way(t: Floats, row: npt.NDArray[np.int64], lines: Sequence[_Line]) -> tuple[Floats, Floats]:
    """Return how far each point is on its line (0..1), and what the slopes of splines add there, in cents."""
    shapes, way = np.array([line.shape for line in lines])[row], np.empty_like(t)
    for shape, ease in EASES.items():
        place = shapes == shape
        way[place] = ease(t[place])
    out, into = np.array([line.slopes for line in lines]).T[:, row]
    return way, t * (1 - t) * (out * (1 - t) - into * t)
