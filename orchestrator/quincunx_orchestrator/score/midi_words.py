"""The words of a MIDI file: which text belongs to which note, and where words begin and end.

Files write them as lyric events, a syllable an event (RP-017), or as text events of a track of words (karaoke). A
space or a line mark before a syllable, or a space behind it, is the border of a word; a hyphen behind it is none.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from quincunx_orchestrator.score.midi_events import MidiSong, MidiTrack
from quincunx_orchestrator.score.words import Syllable

#: How far from its note a word may stand, in ticks of 480 a quarter note: what quantising moves.
NEAR_TICKS = 30

_LINE_MARKS = "/\\\r\n"


@dataclass(frozen=True, slots=True)
class Letters:
    """How the texts of a file are to be read."""

    encoding: str

    @classmethod
    def of(cls, song: MidiSong) -> Letters:
        """Find the encoding in which every text of a file makes sense: UTF-8, else Shift JIS, else Latin letters.

        Nearly any bytes are some kanji in Shift JIS, so only a file with kana counts as written in it.
        """
        texts = [text for track in song.tracks for _, text in (*track.lyrics, *track.texts)]
        texts += [track.name for track in song.tracks]
        if all(_fits(text, "utf-8") for text in texts):
            return cls("utf-8")
        japanese = all(_fits(text, "cp932") for text in texts) and any(
            _has_kana(text.decode("cp932")) for text in texts
        )
        return cls("cp932" if japanese else "latin-1")

    def read(self, text: bytes) -> str:
        """Return a text, without the zeros some programs end it with."""
        return text.decode(self.encoding).replace("\0", "")


def _has_kana(text: str) -> bool:
    return any("\u3041" <= letter <= "\u30fe" for letter in text)


def _fits(text: bytes, encoding: str) -> bool:
    try:
        text.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def words_of(song: MidiSong, letters: Letters) -> list[dict[int, Syllable]]:
    """Return for every track its syllables by tick; a track without words gets those of the track of words.

    The words of a karaoke file stand in a track without notes: they belong to the track whose notes begin with them.
    """
    own = [_written(track, letters) for track in song.tracks]
    speaking = [number for number, words in enumerate(own) if words and not _starts(song.tracks[number])]
    for number in speaking:
        singers = [one for one, track in enumerate(song.tracks) if _starts(track) and not own[one]]
        best = max(singers, key=lambda one: _fit(own[number], _starts(song.tracks[one])), default=None)
        if best is not None and 2 * _fit(own[number], _starts(song.tracks[best])) > len(own[number]):
            own[best] = own[number]
    return own


def syllable_at(tick: int, words: dict[int, Syllable], ticks: Sequence[int]) -> tuple[int, Syllable] | None:
    """Return the tick and syllable nearest to where a note begins; `ticks` are those of `words`, ascending."""
    place = bisect_left(ticks, tick)
    near = [one for one in ticks[max(place - 1, 0) : place + 1] if abs(one - tick) <= NEAR_TICKS]
    if not near:
        return None
    nearest = min(near, key=lambda one: abs(one - tick))
    return nearest, words[nearest]


def _starts(track: MidiTrack) -> list[int]:
    return sorted({start for channel in track.channels.values() for start, _, _ in channel.struck})


def _fit(words: dict[int, Syllable], starts: Sequence[int]) -> int:
    """How many words stand where a note begins."""
    beginning = set(starts)
    return sum(tick in beginning for tick in words)


def _written(track: MidiTrack, letters: Letters) -> dict[int, Syllable]:
    written = [(tick, letters.read(text)) for tick, text in track.lyrics]
    if not written and len(track.texts) > 1:
        # `@` heads the title page of a karaoke file; at tick 0 programs leave their remarks.
        texts = ((tick, letters.read(text)) for tick, text in track.texts)
        written = [(tick, text) for tick, text in texts if not text.startswith("@") and tick > 0]
    return _syllables(written)


def _syllables(written: Iterable[tuple[int, str]]) -> dict[int, Syllable]:
    by_tick: dict[int, str] = {}
    for tick, text in written:
        by_tick[tick] = by_tick.get(tick, "") + text
    texts = list(by_tick.values())
    spaced = any(text[:1].isspace() or text[-1:].isspace() for text in (text.strip(_LINE_MARKS) for text in texts))
    found: dict[int, Syllable] = {}
    open_word = False
    for tick, text in by_tick.items():
        bordered = text[:1].isspace() or text[:1] in _LINE_MARKS
        plain = text.strip(_LINE_MARKS + " \t")
        if not plain.strip("-_"):
            continue  # a line mark alone; the note, if there is one, holds the vowel before it
        found[tick] = Syllable(plain.rstrip("-_").lstrip("-"), open_word and not bordered)
        ends = text[-1:].isspace() or text[-1:] in _LINE_MARKS
        open_word = plain.endswith("-") or (spaced and not ends)
    return found
