"""Reads MusicXML: every part sings, and every further voice of it with words or notes of its own is a track beside it.

Partwise and timewise documents, plain or compressed. Repeats are sung once, grace notes are left out; both are said.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

from quincunx_orchestrator.score.model import Part, Score, TimeSignature, Track
from quincunx_orchestrator.score.musicxml_file import open_document
from quincunx_orchestrator.score.musicxml_part import PartReader, PartReading, struck_of, ticks
from quincunx_orchestrator.score.one_voice import Struck, one_voice
from quincunx_orchestrator.score.words import NO_WORD, Syllable, notes_of
from quincunx_shared.errors import BadScore
from quincunx_shared.tempo import TempoEvent

if TYPE_CHECKING:
    from quincunx_orchestrator.score.musicxml_file import Element


def read_musicxml(raw: bytes, name: str) -> Score:
    """Return the song of a MusicXML file; `name` is the file's, for errors. Raises `BadScore`."""
    root = open_document(raw, name)
    if root.tag not in ("score-partwise", "score-timewise"):
        raise BadScore(f"the document is a {root.tag!r}", where=name, remedy="is this a MusicXML score?")
    titles = {one.get("id"): one.findtext("part-name", "").strip() for one in root.findall("part-list/score-part")}
    tracks: list[Track] = []
    parts: list[Part] = []
    notices: list[str] = []
    readings = []
    for number, (key, measures) in enumerate(_measures_by_part(root).items(), 1):
        title = titles.get(key) or f"Part {number}"
        reading = PartReader(f"{name}: part {number} ({title})").read(measures)
        readings.append(reading)
        _sing(reading, title, tracks, parts, notices)
    title = _title(root) or name.rsplit(".", 1)[0]
    first = readings[0] if readings else PartReading()
    return Score(title, tuple(tracks), tuple(parts), _tempos(readings), _metres(first), tuple(notices))


def _measures_by_part(root: Element) -> dict[str, list[Element]]:
    """Return the measures of every part; a timewise score holds the parts in the measures, not the other way round."""
    if root.tag == "score-partwise":
        return {part.get("id", str(place)): part.findall("measure") for place, part in enumerate(root.findall("part"))}
    found: dict[str, list[Element]] = {}
    for measure in root.findall("measure"):
        for place, part in enumerate(measure.findall("part")):
            part.set("number", measure.get("number", ""))
            found.setdefault(part.get("id", str(place)), []).append(part)
    return found


def _title(root: Element) -> str:
    return root.findtext("work/work-title", "").strip() or root.findtext("movement-title", "").strip()


def _sing(reading: PartReading, title: str, tracks: list[Track], parts: list[Part], notices: list[str]) -> None:
    if reading.repeats:
        notices.append(f"{title}: repeats are sung once")
    if reading.grace_notes:
        notices.append(f"{title}: {reading.grace_notes} grace and cue notes are left out")
    for number, (_, written) in enumerate(sorted(reading.voices.items())):
        name = title if number == 0 else f"{title}, voice {number + 1}"
        voice = one_voice(_with_words(struck_of(written)))
        if voice.chord_notes:
            notices.append(f"{name}: {voice.chord_notes} notes of chords are left out; the highest is sung")
        if voice.shortened:
            notices.append(f"{name}: {voice.shortened} notes are ended where the next begins")
        if all(one.syllable is None for one in written):
            notices.append(f"{name} has no words and sings “{NO_WORD}”")
        tracks.append(Track(name))
        parts.append(Part(len(tracks) - 1, 0, notes_of(voice.notes), {}, name))


def _with_words(notes: Sequence[Struck[Syllable]]) -> Sequence[Struck[Syllable]]:
    """A voice without any word sings one of its own on every note, rather than holding one vowel for the whole song."""
    if any(one.word for one in notes):
        return notes
    return [Struck(one.start_tick, one.end_tick, one.tone, Syllable(NO_WORD)) for one in notes]


def _tempos(readings: Sequence[PartReading]) -> tuple[TempoEvent, ...]:
    found = {0: 120.0}
    for reading in reversed(readings):  # the first part has the last word
        found.update({ticks(quarters): bpm for quarters, bpm in reading.tempos})
    events = [TempoEvent(tick, bpm) for tick, bpm in sorted(found.items())]
    return (events[0], *(after for before, after in pairwise(events) if after.bpm != before.bpm))


def _metres(reading: PartReading) -> tuple[TimeSignature, ...]:
    """Metres by measure. A pickup or any other measure that is not full is a bar of its own metre."""
    written = {number: (beats, unit) for number, beats, unit in reading.metres}
    metre, found = (4, 4), list[TimeSignature]()
    for number, (start, end) in enumerate(pairwise(reading.bars)):
        metre = written.get(number, metre)
        beats, unit = _filled(end - start, *metre)
        if not found or (found[-1].beats, found[-1].unit) != (beats, unit):
            found.append(TimeSignature(number, beats, unit))
    return tuple(found) or (TimeSignature(0, 4, 4),)


def _filled(length: Fraction, beats: int, unit: int) -> tuple[int, int]:
    if length in (Fraction(4 * beats, unit), 0):
        return beats, unit
    for finer in (unit, 16, 64):
        count = length * finer / 4
        if count.denominator == 1 and 1 <= count <= 64:
            return int(count), finer
    return beats, unit
