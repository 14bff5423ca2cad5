"""Writes songs as MIDI files of type 1: a track of tempos and metres, then one a track, with lyrics in UTF-8."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any

from quincunx_orchestrator.score.formats import Written
from quincunx_orchestrator.score.losses import (
    counted,
    drawn_curves,
    mixing_settings,
    notes_of_song,
    sentences,
    tempo_ramps,
    written_lyric,
)
from quincunx_orchestrator.score.midi import read_midi
from quincunx_orchestrator.score.model import Note, Score
from quincunx_shared.errors import BadScore
from quincunx_shared.tempo import TICKS_PER_QUARTER

_MICROSECONDS_A_MINUTE = 60e6
_LONGEST_QUARTER = 2**24 - 1
_MOST_BEATS = 255
_UNITS = (1, 2, 4, 8, 16, 32, 64)
_VELOCITY = 100

#: In the order in which events of one tick are written: what ends, what is said, what begins.
_ENDS, _SAYS, _BEGINS = 0, 1, 2


def write_midi(score: Score) -> Written:
    """Return a song as a file: notes, words, tempos, metres and the names of its tracks."""
    import mido  # imported here: only those who write MIDI files wait for it

    file = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_QUARTER, charset="utf-8")
    file.tracks.append(_track(mido, _timing(mido, score)))
    for number, track in enumerate(score.tracks):
        name = (0, _SAYS, mido.MetaMessage("track_name", name=_encodable(track.name)))
        file.tracks.append(_track(mido, (name, *_sung(mido, score, number))))
    buffer = io.BytesIO()
    file.save(file=buffer)
    content = buffer.getvalue()
    return Written(content, (*_losses(score), *_misread(score, content)))


def _track(mido: Any, events: Iterable[tuple[int, int, Any]]) -> Any:
    track = mido.MidiTrack()
    now = 0
    for tick, _, message in sorted(events, key=lambda event: event[:2]):
        track.append(message.copy(time=tick - now))
        now = tick
    return track


def _timing(mido: Any, score: Score) -> Iterator[tuple[int, int, Any]]:
    for event in score.tempos:
        quarter = min(max(round(_MICROSECONDS_A_MINUTE / event.bpm), 1), _LONGEST_QUARTER)
        yield event.tick, _SAYS, mido.MetaMessage("set_tempo", tempo=quarter)
    start = 0
    before = score.time_signatures[0]
    for metre in score.time_signatures:
        start += (metre.bar - before.bar) * before.beats * (4 * TICKS_PER_QUARTER // before.unit)
        if metre.unit in _UNITS and metre.beats <= _MOST_BEATS:
            signature = mido.MetaMessage("time_signature", numerator=metre.beats, denominator=metre.unit)
            yield start, _SAYS, signature
        before = metre


def _sung(mido: Any, score: Score, track: int) -> Iterator[tuple[int, int, Any]]:
    end: int | None = None
    for start, note in _notes_of_track(score, track):
        lyric, _ = written_lyric(note.lyric, touching=start == end)
        end = start + note.duration_ticks
        if lyric:
            yield start, _SAYS, mido.MetaMessage("lyrics", text=_encodable(lyric))
        yield start, _BEGINS, mido.Message("note_on", note=note.tone, velocity=_VELOCITY)
        yield end, _ENDS, mido.Message("note_off", note=note.tone)


def _notes_of_track(score: Score, track: int) -> list[tuple[int, Note]]:
    notes = [
        (part.position_tick + note.position_tick, note)
        for part in score.parts
        if part.track == track
        for note in part.notes
    ]
    return sorted(notes, key=lambda placed: placed[0])


def _losses(score: Score) -> tuple[str, ...]:
    notes = list(notes_of_song(score))
    odd_metres = sum(one.unit not in _UNITS or one.beats > _MOST_BEATS for one in score.time_signatures)
    return sentences(
        {
            "drawn pitch line": sum(bool(note.points) for note in notes),
            "vibrato": sum(note.vibrato is not None for note in notes),
            "tuned note": sum(note.tuning_cents != 0 for note in notes),
            "curve": drawn_curves(score),
            "wave part": len(score.wave_parts),
            "singer": sum(bool(track.singer) for track in score.tracks),
            "track setting": mixing_settings(score),
            "gradual tempo change": tempo_ramps(score),
            "unwritable metre": odd_metres,
        }
    )


def _misread(score: Score, content: bytes) -> tuple[str, ...]:
    """Read the file as others will, and say what of notes and words comes out otherwise."""
    try:
        found = read_midi(content, "song.mid")
    except BadScore as error:
        return (f"the file cannot be read again: {error}",)
    sung = [number for number in range(len(score.tracks)) if _notes_of_track(score, number)]
    words = spans = 0
    for number, part in zip(sung, found.parts, strict=False):
        ours = _notes_of_track(score, number)
        theirs = {note.position_tick: note for note in part.notes}
        words += sum(start in theirs and theirs[start].lyric != note.lyric for start, note in ours)
        spans += sum(start not in theirs or _span(theirs[start]) != _span(note) for start, note in ours)
    said = (f"{counted(words, 'lyric')} will be read otherwise",) if words else ()
    return (*said, *((f"{counted(spans, 'note')} will be read otherwise: they overlap others",) if spans else ()))


def _span(note: Note) -> tuple[int, int]:
    return note.duration_ticks, note.tone


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
