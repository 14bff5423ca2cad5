"""Cutting a song into the systems of a page, one below the other, as a score does: at bar lines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from quincunx_orchestrator.picture.sheet import Bar

#: The longest system that still shows every phone, and how many of them one page takes.
LONGEST_SECONDS, MOST_SYSTEMS = 17.5, 16

#: A system may be this much longer than the others rather than leave a scrap for another one.
STRETCH = 1.1


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the song, in seconds."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.end - self.start


def cut_into_systems(begin: float, end: float, bars: Sequence[Bar]) -> tuple[Span, ...]:
    """Return stretches of about one length that cover a song from begin to end, each of whole bars where that goes.

    A bar longer than a system is cut where it must be. A song too long for a page has longer systems.
    """
    longest = max(LONGEST_SECONDS, (end - begin) / MOST_SYSTEMS)
    lines = sorted({one.seconds for one in bars if begin < one.seconds < end})
    spans: list[Span] = []
    start = begin
    while end - start > longest * STRETCH:
        ideal = start + (end - start) / math.ceil((end - start) / longest)
        within = [line for line in lines if start < line <= start + longest * STRETCH]
        cut = min(within, key=lambda line: abs(line - ideal)) if within else ideal
        spans.append(Span(start, cut))
        start = cut
    return (*spans, Span(start, end))
