"""Tempo: tick ↔ second, over step and linear segments.

Between two events the tempo is constant, or it changes evenly per tick. With `r = Δbpm / Δtick`, the ticks `d`
after an event of tempo `bpm0` last

    sec(d) = 60 / (480 · r) · ln((bpm0 + r·d) / bpm0)

which is written here as `sec = u·log1p(x)/x` with `x = r·d / bpm0` and `u` the seconds at constant `bpm0`, so that a
slope near zero loses no digits and a slope of zero is the constant tempo.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise

import numpy as np
import numpy.typing as npt

from quincunx_shared.errors import BadInput

Floats = npt.NDArray[np.float64]

#: Ticks a quarter note, everywhere in Quincunx.
TICKS_PER_QUARTER = 480


@dataclass(frozen=True, slots=True)
class TempoEvent:
    """The tempo from `tick` on: constant, or changing evenly per tick to `end_bpm` at the next event."""

    tick: int
    bpm: float
    end_bpm: float | None = None


@dataclass(frozen=True)
class TempoMap:
    """Tick ↔ second. Second 0 is at `origin_tick`; before the first event its tempo holds, as does the last one's.

    Raises `BadInput` unless the events ascend strictly, begin at or before the origin, have finite tempos above
    zero, and end with a constant tempo, since a changing one needs an event to arrive at.

    Seconds are summed outwards from the origin. So a map of a phrase, whose events and origin are relative, gives
    the same bits wherever the phrase stands in its song.
    """

    events: tuple[TempoEvent, ...]
    origin_tick: int = 0

    def __post_init__(self) -> None:
        if not self.events:
            raise BadInput("there is no tempo", where="tempo")
        for event in self.events:
            _check(event)
        for before, after in pairwise(self.events):
            if after.tick <= before.tick:
                raise BadInput(f"tick {after.tick} comes after tick {before.tick}", where="tempo")
        if self.events[0].tick > self.origin_tick:
            raise BadInput(f"no tempo before tick {self.events[0].tick}", where="tempo")
        if _changes(self.events[-1]):
            raise BadInput(f"the change from tick {self.events[-1].tick} on has no event to end at", where="tempo")

    def seconds_at(self, tick: float) -> float:
        """Seconds from the origin to a tick; negative before it."""
        knots = self._knots
        place = max(bisect_right(knots.ticks, tick) - 1, 0)
        distance = tick - knots.ticks[place]
        return knots.seconds[place] + _seconds(distance, knots.bpms[place], knots.slopes[place])

    def tick_at(self, seconds: float) -> float:
        """Return the tick, with its fraction, that lies so many seconds after the origin."""
        knots = self._knots
        place = max(bisect_right(knots.seconds, seconds) - 1, 0)
        bpm = knots.bpms[place]
        even = (seconds - knots.seconds[place]) * (bpm * TICKS_PER_QUARTER) / 60.0
        bend = max(even, 0) * knots.slopes[place] / bpm
        return knots.ticks[place] + (even * (math.expm1(bend) / bend) if bend else even)

    def seconds_at_ticks(self, ticks: npt.ArrayLike) -> Floats:
        """`seconds_at` of every tick: float64, in the shape of `ticks`."""
        ticks = np.asarray(ticks, dtype=np.float64)
        begins, seconds, bpms, slopes = _knots_before(ticks, self._knots.ticks, self._knots)
        distance = ticks - begins
        bend = np.maximum(distance, 0) * slopes / bpms
        even = distance * 60.0 / (bpms * TICKS_PER_QUARTER)
        return seconds + even * _ratio(np.log1p(bend), bend)

    def ticks_at_seconds(self, seconds: npt.ArrayLike) -> Floats:
        """`tick_at` of every moment: float64, in the shape of `seconds`."""
        seconds = np.asarray(seconds, dtype=np.float64)
        ticks, begins, bpms, slopes = _knots_before(seconds, self._knots.seconds, self._knots)
        even = (seconds - begins) * (bpms * TICKS_PER_QUARTER) / 60.0
        bend = np.maximum(even, 0) * slopes / bpms
        return ticks + even * _ratio(np.expm1(bend), bend)

    def around(self, start_tick: int, end_tick: int, origin_tick: int) -> tuple[TempoEvent, ...]:
        """Return what is in force over `[start_tick, end_tick)`, with ticks counted from `origin_tick`.

        The first event stands at the start of the window. Nothing outside the window shows: a change that goes on
        behind it ends at the window's end, and a tempo repeated by the next event is one event. So under constant
        tempo the result depends only on `start_tick - origin_tick`.
        """
        first, last = self._place(start_tick), self._place(max(start_tick, end_tick - 1))
        pieces = [TempoEvent(start_tick, float(self.events[0].bpm))] if start_tick < self.events[0].tick else []
        pieces += [self._piece(place, start_tick, end_tick) for place in range(first, last + 1)]
        if _changes(pieces[-1]):
            pieces.append(TempoEvent(end_tick, _arrives_at(pieces[-1])))
        kept = pieces[:1]
        for piece in pieces[1:]:
            if _changes(piece) or _changes(kept[-1]) or piece.bpm != kept[-1].bpm:
                kept.append(piece)
        return tuple(TempoEvent(one.tick - origin_tick, one.bpm, one.end_bpm) for one in kept)

    def _place(self, tick: float) -> int:
        """Which event is in force at a tick."""
        return max(bisect_right(self._ticks, tick) - 1, 0)

    def _piece(self, place: int, start_tick: int, end_tick: int) -> TempoEvent:
        """Return what one event contributes to the window."""
        event = self.events[place]
        start = max(event.tick, start_tick)
        bpm = self._bpm_in(place, start)
        if not _changes(event) or end_tick <= start:
            return TempoEvent(start, bpm)
        return TempoEvent(start, bpm, self._bpm_in(place, min(self.events[place + 1].tick, end_tick)))

    def _bpm_in(self, place: int, tick: float) -> float:
        """Return the tempo an event has at a tick, up to and including the tick of the next event."""
        event = self.events[place]
        if event.end_bpm is None or tick <= event.tick:
            return float(event.bpm)
        length = self.events[place + 1].tick - event.tick
        left = self.events[place + 1].tick - tick
        if left == 0:
            return float(event.end_bpm)
        return (event.bpm * left + event.end_bpm * (length - left)) / length

    @cached_property
    def _ticks(self) -> list[int]:
        return [event.tick for event in self.events]

    @cached_property
    def _knots(self) -> _Knots:
        """Return the segments, with the origin as a knot of its own so that its second is exactly 0."""
        home = self._place(self.origin_tick)
        ticks: list[float] = [*self._ticks[: home + 1], self.origin_tick, *self._ticks[home + 1 :]]
        places = [*range(home + 1), *range(home, len(self.events))]
        bpms = [self._bpm_in(place, tick) for place, tick in zip(places, ticks, strict=True)]
        slopes = [self._slope(place) for place in places]
        lengths = [
            _seconds(after - before, bpm, slope)
            for (before, after), bpm, slope in zip(pairwise(ticks), bpms, slopes, strict=False)
        ]
        before = [-one for one in accumulate(reversed(lengths[: home + 1]))]
        seconds = [*reversed(before), 0.0, *accumulate(lengths[home + 1 :])]
        return _Knots(ticks, seconds, bpms, slopes)

    def _slope(self, place: int) -> float:
        """Return the change of tempo, in bpm a tick."""
        event = self.events[place]
        if event.end_bpm is None or not _changes(event):
            return 0.0
        return (event.end_bpm - event.bpm) / (self.events[place + 1].tick - event.tick)


@dataclass(frozen=True, slots=True)
class _Knots:
    """Segments: where each begins in ticks and in seconds, its tempo there, and its slope in bpm a tick."""

    ticks: list[float]
    seconds: list[float]
    bpms: list[float]
    slopes: list[float]


def _knots_before(positions: Floats, axis: list[float], knots: _Knots) -> tuple[Floats, Floats, Floats, Floats]:
    """Return tick, second, tempo and slope of the segment each position lies in; `axis` is one of the first two."""
    place = np.maximum(np.searchsorted(axis, positions, side="right") - 1, 0)
    ticks, seconds, bpms, slopes = knots.ticks, knots.seconds, knots.bpms, knots.slopes
    return np.array(ticks)[place], np.array(seconds)[place], np.array(bpms)[place], np.array(slopes)[place]


def _ratio(curved: Floats, bend: Floats) -> Floats:
    """Return `curved / bend`, and its limit 1 where the tempo is constant."""
    return np.divide(curved, bend, out=np.ones_like(bend), where=bend != 0)


def _seconds(ticks: float, bpm: float, slope: float) -> float:
    """Return how long some ticks last from where the tempo is `bpm` and changes by `slope` a tick."""
    even = ticks * 60.0 / (bpm * TICKS_PER_QUARTER)
    bend = max(ticks, 0) * slope / bpm
    return even * (math.log1p(bend) / bend) if bend else even


def _check(event: TempoEvent) -> None:
    for bpm in (event.bpm, event.bpm if event.end_bpm is None else event.end_bpm):
        if not (math.isfinite(bpm) and bpm > 0):
            raise BadInput(f"{bpm!r} beats a minute at tick {event.tick}", where="tempo")


def _changes(event: TempoEvent) -> bool:
    return event.end_bpm is not None and event.end_bpm != event.bpm


def _arrives_at(event: TempoEvent) -> float:
    return event.bpm if event.end_bpm is None else event.end_bpm
