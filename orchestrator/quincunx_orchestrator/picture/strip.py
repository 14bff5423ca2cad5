"""One system's time axis: the seconds of the song that it shows, and where they stand across the page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from quincunx_orchestrator.picture.systems import Span

#: Phrases begin on whole samples, bars do not: what begins with a bar may stand a hair before it.
ROUNDING = 0.002


class Timed(Protocol):
    """Whatever lasts from one second to another."""

    @property
    def start(self) -> float:
        """Where it begins."""

    @property
    def end(self) -> float:
        """Where it ends."""


_Timed = TypeVar("_Timed", bound=Timed)


@dataclass(frozen=True, slots=True)
class Strip:
    """Seconds to points: `span.start` stands at `left`, and every second takes `scale` points."""

    span: Span
    left: float
    scale: float

    @property
    def right(self) -> float:
        """Where the system ends."""
        return self.x(self.span.end)

    @property
    def width(self) -> float:
        """How wide the system is."""
        return self.span.seconds * self.scale

    def x(self, seconds: float) -> float:
        """Where a moment stands; what lies outside stands at the edge."""
        inside = min(max(seconds, self.span.start), self.span.end)
        return self.left + (inside - self.span.start) * self.scale

    def shows(self, seconds: float) -> bool:
        """Whether a moment is in this system. One right before its end is the beginning of the next."""
        return self.span.start - ROUNDING <= seconds < self.span.end - ROUNDING

    def within(self, things: Iterable[_Timed]) -> list[_Timed]:
        """Return what can be seen here, be it in part."""
        start, end = self.span.start + ROUNDING, self.span.end - ROUNDING
        return [one for one in things if one.start < end and one.end > start]
