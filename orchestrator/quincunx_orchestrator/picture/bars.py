"""Where the bars and beats of a score stand, in seconds."""

from __future__ import annotations

from collections.abc import Iterator

from quincunx_orchestrator.picture.sheet import Bar
from quincunx_orchestrator.score.model import Score
from quincunx_shared.tempo import TICKS_PER_QUARTER, TempoMap


def bars_until(score: Score, seconds: float) -> tuple[tuple[Bar, ...], tuple[float, ...]]:
    """Return the bars that begin before a moment, and the beats between their lines."""
    axis = TempoMap(score.tempos)
    bars: list[Bar] = []
    beats: list[float] = []
    for number, first, beat_ticks, count in _bars_from_the_start(score):
        moments = [axis.seconds_at(first + place * beat_ticks) for place in range(count)]
        if moments[0] >= seconds:
            break
        bars.append(Bar(number, moments[0]))
        beats += [moment for moment in moments[1:] if moment < seconds]
    return tuple(bars), tuple(beats)


def _bars_from_the_start(score: Score) -> Iterator[tuple[int, int, int, int]]:
    """Yield (number from 1, first tick, ticks a beat, beats) of every bar, without an end."""
    changes = {one.bar: one for one in score.time_signatures}
    metre, number, tick = score.time_signatures[0], 0, 0
    while True:
        metre = changes.get(number, metre)
        beat_ticks = 4 * TICKS_PER_QUARTER // metre.unit
        yield number + 1, tick, beat_ticks, metre.beats
        tick += beat_ticks * metre.beats
        number += 1
