"""A stretch of a song, as a person names it and as the mix needs it.

9:17         from the start of bar 9 to the start of bar 17: eight bars, counted from 1
30s:45.5s    from second 30 to second 45.5
9:           from bar 9 to the end
:12s         the first twelve seconds
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from quincunx_orchestrator.score.model import Score, TimeSignature
from quincunx_shared.errors import BadOption
from quincunx_shared.tempo import TICKS_PER_QUARTER, TempoMap

#: A range may go on in silence after the song, to end with a bar; but an hour of it is a slip of the finger.
SILENCE_AFTER_SECONDS = 60

#: Seconds with a fraction and an `s`, or the number of a bar. Six digits are eleven days.
_POINT = re.compile(r"(?P<seconds>[0-9]{1,6}(?:\.[0-9]{1,9})?)s|(?P<bar>[0-9]{1,6})")

_HELP = "write bars as 9:17 (from bar 9 up to bar 17) or seconds as 30s:45.5s; either end may be left open"


@dataclass(frozen=True)
class Point:
    """A moment of a song: seconds from its start, or the start of a bar counted from 1."""

    seconds: float | None = None
    bar: int = 1


@dataclass(frozen=True)
class Range:
    """A stretch of a song; an open end is the song's own."""

    start: Point | None
    end: Point | None
    text: str


@dataclass(frozen=True)
class Window:
    """A stretch in samples of the mix. Without a count it ends with the song."""

    first_sample: int = 0
    sample_count: int | None = None

    def begun_earlier(self, samples: int) -> Window:
        """Return the window that begins so many samples earlier, or with the song, and ends with this one."""
        lead = min(samples, self.first_sample)
        count = None if self.sample_count is None else self.sample_count + lead
        return Window(self.first_sample - lead, count)

    def sounds(self, start_sample: int, end_sample: int) -> bool:
        """Say whether any sample from a start up to an end lies in the window."""
        before_its_end = self.sample_count is None or start_sample < self.first_sample + self.sample_count
        return end_sample > self.first_sample and before_its_end


def parse_range(text: str) -> Range:
    """Read what a person wrote. Raises `BadOption` with what is allowed."""
    start, colon, end = text.strip().partition(":")
    if not colon or not (start or end):
        raise BadOption(f"{text!r} is no range", where="--range", remedy=_HELP)
    return Range(_point(start, text), _point(end, text), text.strip())


def window_of(wanted: Range, score: Score, sample_rate: int, song_samples: int) -> Window:
    """Return the samples of a range in a song that ends after so many samples.

    Raises `BadOption` for a range that holds nothing, begins behind the song or ends long after it.
    """
    first = 0 if wanted.start is None else round(_seconds(wanted.start, score) * sample_rate)
    if first >= song_samples:
        ends = f"the song ends after {song_samples / sample_rate:.1f} s"
        raise BadOption(f"{wanted.text} begins where nothing is left: {ends}", where="--range")
    if wanted.end is None:
        return Window(first)
    last = round(_seconds(wanted.end, score) * sample_rate)
    if last <= first:
        raise BadOption(f"{wanted.text} ends before it begins", where="--range", remedy=_HELP)
    if last > song_samples + SILENCE_AFTER_SECONDS * sample_rate:
        ends = f"the song ends after {song_samples / sample_rate:.1f} s"
        remedy = f"leave the end open: --range {wanted.text.partition(':')[0]}:"
        raise BadOption(f"{wanted.text} ends long after the song: {ends}", where="--range", remedy=remedy)
    return Window(first, last - first)


def tick_of_bar(signatures: Sequence[TimeSignature], bar: int) -> int:
    """Return the tick at which a bar begins, counted from 0."""
    tick = 0
    for metre, after in pairwise([*signatures, None]):
        assert metre is not None  # noqa: S101 - only the last of the pairs is open
        until = bar if after is None else min(bar, after.bar)
        if until > metre.bar:
            tick += (until - metre.bar) * metre.beats * (4 * TICKS_PER_QUARTER // metre.unit)
    return tick


def _point(text: str, whole: str) -> Point | None:
    if not text.strip():
        return None
    found = _POINT.fullmatch(text.strip())
    if found is None:
        raise BadOption(f"{text!r} in {whole!r} is neither a bar nor seconds", where="--range", remedy=_HELP)
    if found["seconds"] is not None:
        return Point(seconds=float(found["seconds"]))
    if int(found["bar"]) == 0:
        raise BadOption("bars are counted from 1", where="--range", remedy=_HELP)
    return Point(bar=int(found["bar"]))


def _seconds(point: Point, score: Score) -> float:
    if point.seconds is not None:
        return point.seconds
    return TempoMap(score.tempos).seconds_at(tick_of_bar(score.time_signatures, point.bar - 1))
