"""Writes songs as MusicXML 4.0, partwise: a part a track, notes split at bars and tied, words, tempos and metres."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from xml.etree import ElementTree as Xml

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
from quincunx_orchestrator.score.model import Note, Score
from quincunx_orchestrator.score.musicxml import read_musicxml
from quincunx_orchestrator.score.note_names import SHARP_NAMES
from quincunx_shared.errors import BadScore
from quincunx_shared.tempo import TICKS_PER_QUARTER

_HEAD = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE score-partwise PUBLIC '
    b'"-//Recordare//DTD MusicXML 4.0 Partwise//EN" "http://www.musicxml.org/dtds/partwise.dtd">\n'
)


def write_musicxml(score: Score) -> Written:
    """Return a song as a file, and what is lost: of a word over several notes, others see it under the first alone."""
    root = Xml.Element("score-partwise", version="4.0")
    Xml.SubElement(Xml.SubElement(root, "work"), "work-title").text = _plain(score.name)
    names = Xml.SubElement(root, "part-list")
    bars = _bars(score)
    for number, track in enumerate(score.tracks):
        entry = Xml.SubElement(names, "score-part", id=f"P{number + 1}")
        Xml.SubElement(entry, "part-name").text = _plain(track.name)
    for number in range(len(score.tracks)):
        part = Xml.SubElement(root, "part", id=f"P{number + 1}")
        _write_part(part, score, _notes_of_track(score, number), bars, first=number == 0)
    Xml.indent(root)
    content = _HEAD + Xml.tostring(root, encoding="utf-8") + b"\n"
    return Written(content, (*_losses(score), *_misread(score, content)))


def _write_part(
    part: Xml.Element, score: Score, notes: Sequence[tuple[int, Note]], bars: Sequence[int], *, first: bool
) -> None:
    """Walk through the bars; whatever lasts beyond a bar, or a change of tempo, goes on tied in what follows."""
    tempos = {event.tick: event.bpm for event in score.tempos} if first else {}
    metres = {one.bar: (one.beats, one.unit) for one in score.time_signatures}
    pieces = list(_pieces(notes, sorted({*bars, *tempos}), bars[-1]))
    starts = [piece[0] for piece in pieces]
    for number, (start, end) in enumerate(pairwise(bars)):
        measure = Xml.SubElement(part, "measure", number=str(number + 1))
        if number == 0 or number in metres:
            _write_attributes(measure, metres.get(number), divisions=number == 0)
        for piece in pieces[bisect_right(starts, start - 1) : bisect_right(starts, end - 1)]:
            if piece[0] in tempos:
                direction = Xml.SubElement(measure, "direction")
                Xml.SubElement(Xml.SubElement(direction, "direction-type"), "words")
                Xml.SubElement(direction, "sound", tempo=repr(tempos[piece[0]]))
            _write_note(measure, *piece)


def _write_attributes(measure: Xml.Element, metre: tuple[int, int] | None, *, divisions: bool) -> None:
    attributes = Xml.SubElement(measure, "attributes")
    if divisions:
        Xml.SubElement(attributes, "divisions").text = str(TICKS_PER_QUARTER)
    if metre is not None:
        time = Xml.SubElement(attributes, "time")
        Xml.SubElement(time, "beats").text, Xml.SubElement(time, "beat-type").text = str(metre[0]), str(metre[1])


def _write_note(measure: Xml.Element, start: int, end: int, note: Note | None, lyric: str, ties: Sequence[str]) -> None:
    written = Xml.SubElement(measure, "note")
    if note is None:
        Xml.SubElement(written, "rest")
    else:
        pitch = Xml.SubElement(written, "pitch")
        name = SHARP_NAMES[note.tone % 12]
        Xml.SubElement(pitch, "step").text = name[0]
        if name.endswith("#"):
            Xml.SubElement(pitch, "alter").text = "1"
        Xml.SubElement(pitch, "octave").text = str(note.tone // 12 - 1)
    Xml.SubElement(written, "duration").text = str(end - start)
    for tie in ties:
        Xml.SubElement(written, "tie", type=tie)
    if ties:
        notations = Xml.SubElement(written, "notations")
        for tie in ties:
            Xml.SubElement(notations, "tied", type=tie)
    if lyric:
        words = Xml.SubElement(written, "lyric")
        Xml.SubElement(words, "syllabic").text = "single"
        Xml.SubElement(words, "text").text = lyric


def _pieces(
    notes: Sequence[tuple[int, Note]], borders: Sequence[int], last: int
) -> Iterator[tuple[int, int, Note | None, str, tuple[str, ...]]]:
    """Yield notes and rests without a gap, each cut at every border: start, end, note, lyric, ties."""
    now = 0
    end: int | None = None
    followers = [*(start for start, _ in notes[1:]), last]
    for (start, note), following in zip(notes, followers, strict=True):
        if following <= start:
            continue  # of several notes that begin together, the last one is written
        for low, high in _cut(now, start, borders):
            yield low, high, None, "", ()
        lyric, _ = written_lyric(note.lyric, touching=start == end)
        now = end = min(start + note.duration_ticks, following)
        stretches = _cut(start, end, borders)
        for number, (low, high) in enumerate(stretches):
            ties = ("stop",) * (number > 0) + ("start",) * (number < len(stretches) - 1)
            sung = "" if number or note.lyric.extension else _plain(lyric)
            yield low, high, note, sung, ties
    for low, high in _cut(now, last, borders):
        yield low, high, None, "", ()


def _cut(start: int, end: int, borders: Sequence[int]) -> list[tuple[int, int]]:
    if end <= start:
        return []
    inside = borders[bisect_right(borders, start) : bisect_right(borders, end - 1)]
    return list(pairwise((start, *inside, end)))


def _bars(score: Score) -> list[int]:
    """Return where the bars begin, and where the last one ends: at least one, and as many as anything is written in."""
    tracks = (_notes_of_track(score, number) for number in range(len(score.tracks)))
    ends = [start + note.duration_ticks for notes in tracks for start, note in notes]
    last = max([1, *ends, *(event.tick + 1 for event in score.tempos)])
    signatures = list(score.time_signatures)
    bars, metre = [0], signatures[0]
    while bars[-1] < last:
        while signatures and signatures[0].bar <= len(bars) - 1:
            metre = signatures.pop(0)
        bars.append(bars[-1] + max(metre.beats * (4 * TICKS_PER_QUARTER // metre.unit), 1))
    return bars


def _notes_of_track(score: Score, track: int) -> list[tuple[int, Note]]:
    parts = (part for part in score.parts if part.track == track)
    notes = [(part.position_tick + note.position_tick, note) for part in parts for note in part.notes]
    return sorted(notes, key=lambda placed: placed[0])


def _losses(score: Score) -> tuple[str, ...]:
    notes = list(notes_of_song(score))
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
        }
    )


def _misread(score: Score, content: bytes) -> tuple[str, ...]:
    """Read the file as others will, and say what of notes and words comes out otherwise."""
    try:
        found = read_musicxml(content, "song.musicxml")
    except BadScore as error:
        return (f"the file cannot be read again: {error}",)
    sung = [number for number in range(len(score.tracks)) if _notes_of_track(score, number)]
    words = spans = 0
    for number, part in zip(sung, found.parts, strict=False):
        theirs = {note.position_tick: note for note in part.notes}
        for start, note in _notes_of_track(score, number):
            there = theirs.get(start)
            words += there is not None and there.lyric != note.lyric
            spans += there is None or (there.duration_ticks, there.tone) != (note.duration_ticks, note.tone)
    said = (f"{counted(words, 'lyric')} will be read otherwise",) if words else ()
    return (*said, *((f"{counted(spans, 'note')} will be read otherwise: they overlap others",) if spans else ()))


def _plain(text: str) -> str:
    """Leave out what XML has no way to say: control characters and half characters."""
    return (
        "".join(letter for letter in text if letter in "\t\n\r" or ("\x20" <= letter < "\ud800") or letter >= "\ue000")
        .replace("\ufffe", "")
        .replace("\uffff", "")
    )
