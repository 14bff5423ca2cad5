"""Finding notes, tracks and phrases of a score by what a person calls them."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from quincunx_orchestrator.score.model import Score, TimeSignature
from quincunx_orchestrator.score.note_names import tone_of
from quincunx_orchestrator.score.phrasing import Phrase
from quincunx_shared.errors import BadInput
from quincunx_shared.hints import did_you_mean
from quincunx_shared.tempo import TICKS_PER_QUARTER

#: Part and number of a note.
NotePlace = tuple[int, int]


def track_of(score: Score, written: str) -> int:
    """Return a track by its number from 1, or by its name."""
    if written.isascii() and written.isdigit() and len(written) < 6 and 1 <= int(written) <= len(score.tracks):
        return int(written) - 1
    named = [number for number, track in enumerate(score.tracks) if _folded(track.name) == _folded(written)]
    if len(named) == 1:
        return named[0]
    known = [*(str(number) for number in range(1, len(score.tracks) + 1)), *(one.name for one in score.tracks)]
    what = f"{len(named)} tracks are called" if named else "there is no track"
    raise BadInput(f"{what} {written[:40]!r}{did_you_mean(written, known) if known else '; the song has none'}")


def tick_of(score: Score, bar: str, beat: str = "1") -> int:
    """Return the tick of a bar and beat, counted from 1; a beat may have a fraction: `2.5`."""
    try:
        number, fraction = int(bar) - 1, float(beat) - 1
    except ValueError:
        raise BadInput(f"{bar[:20]}:{beat[:20]} is no bar and beat", remedy="count both from 1, such as 4:1") from None
    if not (0 <= number < 1_000_000 and 0 <= fraction < 10_000):
        raise BadInput(f"{bar[:20]}:{beat[:20]} is no bar and beat of a song")
    tick, one = 0, score.time_signatures[0]
    for after in score.time_signatures[1:]:
        if number < after.bar:
            break
        tick += (after.bar - one.bar) * one.beats * _beat_ticks(one)
        one = after
    return tick + (number - one.bar) * one.beats * _beat_ticks(one) + round(fraction * _beat_ticks(one))


def _beat_ticks(metre: TimeSignature) -> int:
    return 4 * TICKS_PER_QUARTER // metre.unit


def song_tick(score: Score, written: str) -> int:
    """Return the tick of `BAR`, `BAR:BEAT` or `@TICK`."""
    if written.startswith("@"):
        if not (written[1:].isascii() and written[1:].isdigit() and len(written) < 11):
            raise BadInput(f"{written[:20]!r} is no tick")
        return int(written[1:])
    bar, _, beat = written.partition(":")
    return tick_of(score, bar, beat or "1")


def track_tick(score: Score, written: str) -> tuple[int, int]:
    """Return the track and tick of `TRACK:BAR:BEAT`, `TRACK:BAR` or `TRACK:@TICK`."""
    track, colon, place = written.partition(":")
    if not colon:
        raise BadInput(f"{written[:40]!r} is no place", remedy="write TRACK:BAR:BEAT, such as 1:4:1")
    return track_of(score, track), song_tick(score, place)


def note_at(score: Score, written: str) -> NotePlace:
    """Return the note that sounds at `TRACK:BAR:BEAT`: the one that begins there, else the one that goes on."""
    track, tick = track_tick(score, written)
    found = [
        (abs(part.position_tick + note.position_tick - tick), place, number)
        for place, part in enumerate(score.parts)
        if part.track == track
        for number, note in enumerate(part.notes)
        if note.position_tick <= tick - part.position_tick < note.end_tick
    ]
    if not found:
        raise BadInput(f"no note sounds at {written[:40]}", remedy="`quincunx log P --phrases` lists the phrases")
    _, place, number = min(found)
    return place, number


def note_of_phrase(score: Score, phrase: Phrase, written: str) -> NotePlace:
    """Return the N-th note of a phrase, from 1."""
    ticks = phrase.timing.start_ticks
    if not (written.isascii() and written.isdigit() and len(written) < 6 and 1 <= int(written) <= len(ticks)):
        raise BadInput(f"there is no note {written[:20]!r} in {phrase.label}; it has {len(ticks)}")
    wanted = phrase.anchor_tick + ticks[int(written) - 1]
    for place, part in enumerate(score.parts):
        for number, note in enumerate(part.notes):
            if part.track == phrase.track and part.position_tick + note.position_tick == wanted:
                return place, number
    raise BadInput(f"the notes of {phrase.label} are no longer where they were")


def part_at(score: Score, track: int, tick: int) -> int:
    """Return the part of a track that a tick belongs to: the last that begins there or before, else the first."""
    parts = [(part.position_tick, place) for place, part in enumerate(score.parts) if part.track == track]
    if not parts:
        raise BadInput(f"track {track + 1} has no part to put anything into")
    begun = [one for one in parts if one[0] <= tick]
    return max(begun)[1] if begun else min(parts)[1]


def phrase_named(score: Score, names: Sequence[str], phrases: Sequence[Phrase], written: str) -> int:
    """Return which phrase is meant: by name, by `TRACK:BAR`, by its label or a part of it that no other has."""
    if written in names:
        return names.index(written)
    labelled = [place for place, phrase in enumerate(phrases) if _folded(written) in _folded(phrase.label)]
    exact = [place for place in labelled if _folded(phrases[place].label) == _folded(written)]
    for found in (exact, labelled):
        if len(found) == 1:
            return found[0]
    track, colon, bar = written.partition(":")
    if colon and bar.isascii() and bar.isdigit() and len(bar) < 7:
        return _phrase_in_bar(score, phrases, track_of(score, track), bar)
    if labelled:
        raise BadInput(f"{len(labelled)} phrases are called {written[:40]!r}", remedy="use a name, or TRACK:BAR")
    known = [*names, *(phrase.label for phrase in phrases)]
    raise BadInput(f"there is no phrase {written[:40]!r}{did_you_mean(written, known)}")


def _phrase_in_bar(score: Score, phrases: Sequence[Phrase], track: int, bar: str) -> int:
    start, end = tick_of(score, bar), tick_of(score, str(int(bar) + 1))
    for place, phrase in enumerate(phrases):
        sung = (phrase.anchor_tick, phrase.anchor_tick + phrase.timing.end_tick)
        if phrase.track == track and sung[0] < end and start < sung[1]:
            return place
    raise BadInput(f"nothing is sung in bar {bar} of track {track + 1}")


def tone_from(written: int | str, former: int | None = None) -> int:
    """Return a MIDI tone from a number, a name (`C4`) or a step (`+2`) from the former one."""
    text = str(written)
    tone: float | None = tone_of(text)
    if tone is None and text.lstrip("+-").isdigit() and len(text) < 5:
        steps = isinstance(written, str) and text[0] in "+-"
        if steps and former is None:
            raise BadInput(f"{text} is a step, and there is no note yet to count it from")
        tone = int(text) + (former or 0 if steps else 0)
    if tone is None or tone != int(tone) or not 0 <= tone <= 127:
        raise BadInput(
            f"{text[:20]!r} is no tone", remedy="write a number from 0 to 127, a name such as C4, or a step such as +2"
        )
    return int(tone)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip().casefold()
