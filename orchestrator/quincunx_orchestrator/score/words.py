"""Words over notes: files for notes split a word into syllables; a singer's lyric is the word, and `+` for the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from quincunx_orchestrator.score.model import Note
from quincunx_orchestrator.score.one_voice import Struck
from quincunx_orchestrator.score.ustx_notes import read_lyric

#: Sung where a song has no words.
NO_WORD = "la"

#: How a note continues the one before: with the next syllable of its word, or on the same vowel.
NEXT_SYLLABLE, SAME_VOWEL = "+", "+~"


@dataclass(frozen=True, slots=True)
class Syllable:
    """What is written under one note. `continues` says that it belongs to the word of the syllable before it."""

    text: str
    continues: bool = False


def notes_of(struck: Sequence[Struck[Syllable]]) -> tuple[Note, ...]:
    """Return the notes with their lyrics: a word stands whole on its first note, the others of it hold a `+`.

    A note without a word holds the vowel of the note it touches. Syllables of languages whose characters each are a
    syllable stay where they are; so does one that continues a word across a rest, because a `+` must touch.
    """
    lyrics: list[str] = []
    word = -1
    for number, one in enumerate(struck):
        touching = number > 0 and struck[number - 1].end_tick == one.start_tick
        if one.word is None or not one.word.text:
            lyrics.append(SAME_VOWEL if touching and word >= 0 else NO_WORD)
            word = word if touching else -1
        elif one.word.continues and touching and word >= 0 and _alphabetic(lyrics[word] + one.word.text):
            lyrics[word] += one.word.text
            lyrics.append(NEXT_SYLLABLE)
        else:
            lyrics.append(one.word.text)
            word = number
    return tuple(_note(struck, number, lyric) for number, lyric in enumerate(lyrics))


def _note(struck: Sequence[Struck[Syllable]], number: int, lyric: str) -> Note:
    one = struck[number]
    touching = number > 0 and struck[number - 1].end_tick == one.start_tick
    return Note(one.start_tick, one.end_tick - one.start_tick, one.tone, read_lyric(lyric, touching=touching))


def _alphabetic(text: str) -> bool:
    """Whether letters make up syllables here, as they do in Latin, Greek and Cyrillic."""
    return all(ord(letter) < 0x0530 for letter in text)
