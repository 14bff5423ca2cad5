"""Changes of a score, carried out: a score in, a score out, and where every note went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeAlias, assert_never

from quincunx_orchestrator.project.changes import (
    ChangeNote,
    ChangeTrack,
    DeleteNote,
    DrawCurve,
    InsertNote,
    ScoreChange,
    SetTempo,
)
from quincunx_orchestrator.score.model import Note, Part, PartCurve, Score
from quincunx_orchestrator.score.ustx_curves import CURVE_KINDS
from quincunx_shared.errors import BadInput
from quincunx_shared.hints import did_you_mean
from quincunx_shared.tempo import TempoEvent, TempoMap

#: A note that has been told from all others, and the note.
Known: TypeAlias = tuple[int, Note]


@dataclass(frozen=True)
class Tracked:
    """A score, and for each part the marks of its notes: a mark stays with its note, whatever is done to it."""

    score: Score
    marks: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, score: Score) -> Tracked:
        """Mark all notes."""
        marks, first = [], 0
        for part in score.parts:
            marks.append(tuple(range(first, first + len(part.notes))))
            first += len(part.notes)
        return cls(score, tuple(marks))

    def keys(self) -> dict[tuple[int, int], int]:
        """Marks by track and tick of the song."""
        return {
            (part.track, part.position_tick + note.position_tick): mark
            for part, marks in zip(self.score.parts, self.marks, strict=True)
            for mark, note in zip(marks, part.notes, strict=True)
        }


def edited(tracked: Tracked, change: ScoreChange) -> Tracked:
    """Carry a change out. Raises `BadInput` where it does not fit the score."""
    match change:
        case ChangeNote():
            known = [*_known(tracked, change.part)]
            mark, note = known[_checked(change.note, known, "note")]
            known[change.note] = (mark, _changed(note, change))
            return _with_notes(tracked, change.part, known)
        case InsertNote():
            mark = max((one for marks in tracked.marks for one in marks), default=-1) + 1
            note = Note(change.position_tick, change.duration_ticks, change.tone, change.lyric)
            return _with_notes(tracked, change.part, [*_known(tracked, change.part), (mark, note)])
        case DeleteNote():
            known = [*_known(tracked, change.part)]
            del known[_checked(change.note, known, "note")]
            return _with_notes(tracked, change.part, known)
        case SetTempo(tick, bpm):
            return replace(tracked, score=_with_tempo(tracked.score, tick, bpm))
        case DrawCurve():
            return replace(tracked, score=_with_curve(tracked.score, change))
        case ChangeTrack():
            return replace(tracked, score=_with_track(tracked.score, change))
        case _:
            assert_never(change)


def _known(tracked: Tracked, part: int) -> Sequence[Known]:
    _checked(part, tracked.score.parts, "part")
    return [*zip(tracked.marks[part], tracked.score.parts[part].notes, strict=True)]


def _checked(place: int, among: Sequence[object], word: str) -> int:
    if place >= len(among):
        raise BadInput(f"there is no {word} {place}; there are {len(among)}")
    return place


def _changed(note: Note, change: ChangeNote) -> Note:
    return replace(
        note,
        lyric=note.lyric if change.lyric is None else change.lyric,
        tone=note.tone if change.tone is None else change.tone,
        position_tick=note.position_tick if change.position_tick is None else change.position_tick,
        duration_ticks=note.duration_ticks if change.duration_ticks is None else change.duration_ticks,
    )


def _with_notes(tracked: Tracked, place: int, known: Sequence[Known]) -> Tracked:
    """Put notes into a part, in order. Raises `BadInput` if one would sound while another does."""
    ordered = sorted(known, key=lambda one: (one[1].position_tick, one[0]))
    for (_, before), (_, after) in pairwise(ordered):
        if before.end_tick > after.position_tick:
            what = f"「{before.lyric.text}」 would end at tick {before.end_tick}, after 「{after.lyric.text}」 begins"
            raise BadInput(what, remedy="shorten it, or move the other first; a part sings one note at a time")
    part = replace(tracked.score.parts[place], notes=tuple(note for _, note in ordered))
    marks = tuple(mark for mark, _ in ordered)
    return Tracked(
        replace(tracked.score, parts=_with(tracked.score.parts, place, part)),
        (*tracked.marks[:place], marks, *tracked.marks[place + 1 :]),
    )


def _with(parts: tuple[Part, ...], place: int, part: Part) -> tuple[Part, ...]:
    return (*parts[:place], part, *parts[place + 1 :])


def _with_tempo(score: Score, tick: int, bpm: float) -> Score:
    kept = (event for event in score.tempos if event.tick != tick)
    tempos = tuple(sorted((*kept, TempoEvent(tick, bpm)), key=lambda event: event.tick))
    TempoMap(tempos)
    return replace(score, tempos=tempos)


def _with_curve(score: Score, change: DrawCurve) -> Score:
    part = score.parts[_checked(change.part, score.parts, "part")]
    kind = CURVE_KINDS.get(change.curve)
    if kind is None:
        raise BadInput(f"there is no curve {change.curve!r}{did_you_mean(change.curve, CURVE_KINDS)}")
    ticks = [tick for tick, _ in change.points]
    if not ticks or any(after <= before for before, after in pairwise(ticks)):
        raise BadInput("the points of a curve must ascend, and there must be one")
    for tick, value in change.points:
        if not kind.low <= value <= kind.high:
            raise BadInput(f"{change.curve} is {value:g} at tick {tick}; it goes from {kind.low:g} to {kind.high:g}")
    former = part.curves.get(change.curve, PartCurve((), (), kind.neutral))
    kept = [one for one in zip(former.ticks, former.values, strict=True) if not ticks[0] <= one[0] <= ticks[-1]]
    points = sorted([*kept, *change.points])
    drawn = PartCurve(tuple(tick for tick, _ in points), tuple(float(value) for _, value in points), former.default)
    curves: Mapping[str, PartCurve] = {**part.curves, change.curve: drawn}
    return replace(score, parts=_with(score.parts, change.part, replace(part, curves=curves)))


def _with_track(score: Score, change: ChangeTrack) -> Score:
    track = score.tracks[_checked(change.track, score.tracks, "track")]
    changed = replace(
        track,
        volume_db=track.volume_db if change.volume_db is None else change.volume_db,
        pan=track.pan if change.pan is None else change.pan,
        mute=track.mute if change.mute is None else change.mute,
        singer=track.singer if change.singer is None else change.singer,
    )
    tracks = (*score.tracks[: change.track], changed, *score.tracks[change.track + 1 :])
    return replace(score, tracks=tracks)
