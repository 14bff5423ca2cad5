"""Requests that change the notes, the tempo, the curves or the tracks of a score, made changes with fixed addresses."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from quincunx_orchestrator.project import changes, requests
from quincunx_orchestrator.project.places import part_at, song_tick, tone_from, track_of, track_tick
from quincunx_orchestrator.score.model import Note, Score
from quincunx_orchestrator.score.ustx_notes import read_lyric
from quincunx_shared.errors import BadInput


def score_change(
    score: Score,
    request: requests.Request,
    find: Callable[[str], tuple[int, int]],
    check_voice: Callable[[str], None],
) -> changes.ScoreChange:
    """Return what a request changes. `find` finds a note: its part and number; `check_voice` refuses unknown ones."""
    if isinstance(request, requests.SetLyric | requests.SetTone | requests.MoveNote | requests.ResizeNote):
        return _note_change(score, request, *find(request.note))
    match request:
        case requests.Delete(note):
            return changes.DeleteNote(*find(note))
        case requests.SingWith(track, voice):
            number = track_of(score, track)
            check_voice(voice)
            return changes.ChangeTrack(number, singer=voice)
        case requests.Insert():
            return _insertion(score, request)
        case _:
            return _song_change(score, request)


def _note_change(
    score: Score,
    request: requests.SetLyric | requests.SetTone | requests.MoveNote | requests.ResizeNote,
    part: int,
    number: int,
) -> changes.ChangeNote:
    notes = score.parts[part].notes
    match request:
        case requests.SetLyric(_, lyric):
            return changes.ChangeNote(part, number, read_lyric(lyric, touching=_touches(notes, number)))
        case requests.SetTone(_, tone):
            return changes.ChangeNote(part, number, tone=tone_from(tone, notes[number].tone))
        case requests.MoveNote(_, ticks):
            return changes.ChangeNote(part, number, position_tick=_tick(notes[number].position_tick + ticks))
        case requests.ResizeNote(_, ticks):
            return changes.ChangeNote(part, number, duration_ticks=_length(ticks))


def _insertion(score: Score, request: requests.Insert) -> changes.InsertNote:
    track, tick = track_tick(score, request.at)
    part = part_at(score, track, tick)
    position = _tick(tick - score.parts[part].position_tick)
    touching = any(one.end_tick == position for one in score.parts[part].notes)
    lyric = read_lyric(request.lyric, touching=touching)
    return changes.InsertNote(part, position, _length(request.ticks), tone_from(request.tone), lyric)


def _song_change(score: Score, request: requests.Request) -> changes.ScoreChange:
    match request:
        case requests.Tempo(at, bpm):
            if not 5 <= bpm <= 1000:
                raise BadInput(f"{bpm:g} beats a minute; from 5 to 1000 can be sung")
            return changes.SetTempo(_tick(song_tick(score, at)), float(bpm))
        case requests.Draw(track, curve, points):
            number = track_of(score, track)
            part = part_at(score, number, points[0][0] if points else 0)
            start = score.parts[part].position_tick
            return changes.DrawCurve(part, curve, tuple((_tick(tick) - start, float(value)) for tick, value in points))
        case requests.Volume(track, db):
            return changes.ChangeTrack(track_of(score, track), volume_db=_within(float(db), -200, 24))
        case requests.Pan(track, pan):
            return changes.ChangeTrack(track_of(score, track), pan=_within(float(pan), -100, 100))
        case requests.Mute(track, mute):
            return changes.ChangeTrack(track_of(score, track), mute=mute)
        case _:
            raise AssertionError(request)


def _touches(notes: Sequence[Note], number: int) -> bool:
    return number > 0 and notes[number - 1].end_tick == notes[number].position_tick


def _length(ticks: int) -> int:
    if ticks < 1:
        raise BadInput(f"{ticks} ticks are no length of a note")
    return _tick(ticks)


def _within(value: float, low: float, high: float) -> float:
    if not low <= value <= high:
        raise BadInput(f"{value:g} is not from {low:g} to {high:g}")
    return value


def _tick(tick: int) -> int:
    if not 0 <= tick < 2**31:
        raise BadInput(f"tick {tick} lies before the song or its part, or beyond any song")
    return tick
