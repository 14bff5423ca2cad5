"""Cutting a score into phrases: the smallest stretches that are sung, cached and rendered again on their own.

    notes  ▇▇▇ ▇▇▇        ▇▇▇▇ ▇▇                        ▇▇▇
    rests         < 3                  ≥ 3
    phrases ├──────────────────────┤1 beat     2 beats├──────…

A rest of three beats or more cuts; one beat of it belongs to the phrase on its left, two to the one on its right,
and what lies between is dead. A beat is a quarter note, whatever the metre, so that a phrase keeps its bytes when it
moves into another one. Each part is cut by itself: parts may overlap, and their notes never mix.

A phrase has no lasting id: its content names it. Everything in it counts from its anchor, the start of its first
note, and holds nothing of what lies outside its window.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import TypeAlias

from quincunx_orchestrator.score.model import Note, Part, PartCurve, Score, TimeSignature
from quincunx_shared.errors import BadInput
from quincunx_shared.phrase import DrawnCurve, Lyrics, Melody, NoteMelody, Timing
from quincunx_shared.tempo import TICKS_PER_QUARTER, TempoMap

#: Start and end, in ticks.
Span: TypeAlias = tuple[int, int]

#: In beats: the shortest rest that cuts, and what of a rest belongs to the phrase after and before it.
CUTTING_REST, LEAD, TRAIL = 3, 2, 1

#: How many words of a phrase its label shows.
LABEL_WORDS = 3


@dataclass(frozen=True, slots=True)
class Window:
    """The stretch of ticks a phrase may depend on, and the numbers of the notes in it."""

    start_tick: int
    end_tick: int
    notes: tuple[int, ...]


#: The notes of a part as spans → its phrases: every note in exactly one window, in order.
Cutter: TypeAlias = Callable[[Sequence[Span]], Sequence[Window]]


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase as its steps receive it, and where the song has it.

    `curves` holds, by abbreviation and in the units of the file, those that differ from their default in the window.
    `places` says of each note where a person finds it: `Alto 9:3 「la」`.
    """

    track: int
    label: str
    anchor_tick: int
    anchor_seconds: float
    lyrics: Lyrics
    timing: Timing
    melody: Melody
    curves: Mapping[str, DrawnCurve]
    places: tuple[str, ...] = ()


def phrases_of(score: Score, cutter: Cutter | None = None) -> tuple[Phrase, ...]:
    """Return the phrases of all parts, in the order of their tracks and, on a track, of their anchors.

    Without a cutter they are cut at rests. Raises `BadInput` for a cutter that loses notes or sings them twice.
    """
    found: list[Phrase] = []
    axis, bars = TempoMap(score.tempos), _Bars(score.time_signatures)
    for part in score.parts:
        label = score.tracks[part.track].name
        spans = [(note.position_tick + part.position_tick, note.end_tick + part.position_tick) for note in part.notes]
        windows = cut(spans, cutter or windows_by_rests)
        groups = ([part.notes[number] for number in window.notes] for window in windows if window.notes)
        found.extend(_phrase(part, notes, label, axis, bars) for notes in groups)
    return tuple(sorted(found, key=lambda phrase: (phrase.track, phrase.anchor_tick)))


def windows_by_rests(
    notes: Sequence[Span], scopes: Iterable[Span] = (), beat_ticks: int = TICKS_PER_QUARTER
) -> tuple[Window, ...]:
    """Cut at every rest of three beats. The scopes of interventions hold a phrase together as notes do.

    Before the first note there is no more rest than the song has; behind the last one there is none. A window that
    only a scope opens has no notes.
    """
    spans = sorted([(span, number) for number, span in enumerate(notes)] + [(span, -1) for span in scopes])
    starts: list[int] = []
    ends: list[int] = []
    members: list[list[int]] = []
    for (start, end), number in spans:
        if not ends or start - ends[-1] >= CUTTING_REST * beat_ticks:
            starts.append(start)
            ends.append(end)
            members.append([])
        ends[-1] = max(ends[-1], end)
        if number >= 0:
            members[-1].append(number)
    trails = [TRAIL * beat_ticks] * (len(ends) - 1) + [0]
    return tuple(
        Window(max(start - LEAD * beat_ticks, 0), end + trail, tuple(numbers))
        for start, end, trail, numbers in zip(starts, ends, trails, members, strict=False)
    )


def window_of_track(
    notes: Sequence[Span], scopes: Iterable[Span] = (), beat_ticks: int = TICKS_PER_QUARTER
) -> tuple[Window, ...]:
    """Cut nowhere: one window for all notes, if there are any."""
    spans = [*notes, *scopes]
    if not spans:
        return ()
    start = max(min(start for start, _ in spans) - LEAD * beat_ticks, 0)
    return (Window(start, max(end for _, end in spans), tuple(range(len(notes)))),)


#: The cutters that come with Quincunx, by name; installed packages may offer more.
CUTTERS: Mapping[str, Cutter] = {"rests": windows_by_rests, "track": window_of_track}


def cut(spans: Sequence[Span], cutter: Cutter) -> Sequence[Window]:
    """Cut, and hold the cutter, which may be other people's code, to its promise: every note once, in order."""
    try:
        windows = tuple(cutter(spans))
        numbers = [number for window in windows for number in window.notes]
    except Exception as error:
        raise BadInput(f"the phrase cutter raised {type(error).__name__}: {error}") from error
    if numbers != list(range(len(spans))):
        raise BadInput(f"the phrase cutter must give each of {len(spans)} notes once, in order; it gave {numbers[:8]}…")
    return windows


def _phrase(part: Part, notes: Sequence[Note], track: str, axis: TempoMap, bars: _Bars) -> Phrase:
    first = notes[0].position_tick
    anchor = part.position_tick + first
    # Two beats in front and one behind even where the song begins later or ends sooner: a phrase that moves there
    # keeps its bytes, and so does the last one when another follows.
    start, end = -LEAD * TICKS_PER_QUARTER, notes[-1].end_tick - first + TRAIL * TICKS_PER_QUARTER
    timing = Timing(
        axis.around(anchor + start, anchor + end, anchor),
        tuple(note.position_tick - first for note in notes),
        tuple(note.duration_ticks for note in notes),
    )
    drawn = {name: _clipped(curve, first + start, first + end, first) for name, curve in part.curves.items()}
    return Phrase(
        track=part.track,
        label=f"{track} {bars.place_of(anchor)} {_words(notes)}".strip(),
        anchor_tick=anchor,
        anchor_seconds=axis.seconds_at(anchor),
        lyrics=Lyrics(tuple(note.lyric for note in notes), _touching(notes)),
        timing=timing,
        melody=Melody(tuple(_melody(note) for note in notes)),
        curves={name: curve for name, curve in drawn.items() if curve.ticks},
        places=tuple(
            f"{track} {bars.place_of(part.position_tick + note.position_tick)} 「{note.lyric.text}」" for note in notes
        ),
    )


def _touching(notes: Sequence[Note]) -> tuple[bool, ...]:
    return (False, *(after.position_tick == before.end_tick for before, after in pairwise(notes)))


def _melody(note: Note) -> NoteMelody:
    return NoteMelody(note.tone + note.tuning_cents / 100, note.points, note.snap_first, note.vibrato)


def _words(notes: Sequence[Note]) -> str:
    words = (note.lyric.text for note in notes if not note.lyric.extension)
    return " ".join(islice(words, LABEL_WORDS))


def _clipped(curve: PartCurve, start: int, end: int, anchor: int) -> DrawnCurve:
    """Return what a window hears of a curve, counted from the anchor; empty if that is only the default.

    At a border the curve has its exact value there. Runs of the default at both ends are left out, because outside
    its points a curve has the default anyway; so drawing elsewhere leaves no mark here.
    """
    low, high = bisect_left(curve.ticks, start), bisect_right(curve.ticks, end)
    ticks, values = list(curve.ticks[low:high]), list(curve.values[low:high])
    if 0 < low < len(curve.ticks) and curve.ticks[low] > start:
        ticks.insert(0, start)
        values.insert(0, _between(curve, low, start))
    if 0 < high < len(curve.ticks) and curve.ticks[high - 1] < end:
        ticks.append(end)
        values.append(_between(curve, high, end))

    drawn = [place for place, value in enumerate(values) if value != curve.default]
    if not drawn:
        return DrawnCurve(default=float(curve.default))
    kept = slice(max(drawn[0] - 1, 0), drawn[-1] + 2)
    return DrawnCurve(
        tuple(tick - anchor for tick in ticks[kept]), tuple(map(float, values[kept])), float(curve.default)
    )


def _between(curve: PartCurve, right: int, tick: int) -> float:
    """Return the curve between two of its points.

    In whole numbers up to the one division, so that any two points of the same line give the same bits.
    """
    before, after = curve.ticks[right - 1], curve.ticks[right]
    weighted = curve.values[right - 1] * (after - tick) + curve.values[right] * (tick - before)
    return weighted / (after - before)


class _Bars:
    """Where bars and beats stand, counted from 1 as people do."""

    def __init__(self, signatures: Sequence[TimeSignature]) -> None:
        self._signatures = signatures
        self._starts = [0]
        for before, after in pairwise(signatures):
            length = before.beats * _beat_ticks(before)
            self._starts.append(self._starts[-1] + (after.bar - before.bar) * length)

    def place_of(self, tick: int) -> str:
        """Return `bar:beat` of a tick."""
        number = max(bisect_right(self._starts, tick) - 1, 0)
        metre = self._signatures[number]
        beat = (tick - self._starts[number]) // _beat_ticks(metre)
        return f"{metre.bar + beat // metre.beats + 1}:{beat % metre.beats + 1}"


def _beat_ticks(metre: TimeSignature) -> int:
    return 4 * TICKS_PER_QUARTER // metre.unit
