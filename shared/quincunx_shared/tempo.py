"""Tempo: tick ↔ second, over step and linear segments."""

from __future__ import annotations

from dataclasses import dataclass

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
    """Tick ↔ second. Second 0 is at `origin_tick`."""

    events: tuple[TempoEvent, ...]
    origin_tick: int = 0

    def seconds_at(self, tick: float) -> float:
        """Seconds from the origin to a tick; negative before it."""
        event = self.events[0]
        return (tick - self.origin_tick) * 60.0 / (event.bpm * TICKS_PER_QUARTER)
