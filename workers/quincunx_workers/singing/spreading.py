"""Words to notes: which syllable each note sings, which notes hold, and where a word's last consonants go.

hello  +    +~         →   hh ah | l ow | (holds)
winds  +~              →   w ih  | n d z          the coda waits for the last note
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from quincunx_shared.errors import BadInput
from quincunx_shared.phonemes import SILENCE, NotePhonemes
from quincunx_workers.singing.syllables import Syllable

#: What a note sings: a word of its own, the next syllable of one, the same vowel on, or nothing.
Continuation = Literal["word", "syllable", "vowel", "rest"]

REST = NotePhonemes((SILENCE,), (0,))


@dataclass(frozen=True, slots=True)
class SungNote:
    """What one note is to sing; `syllables` stand at the first note of their word. `touching` as in `Lyrics`."""

    continuation: Continuation
    syllables: tuple[Syllable, ...] = ()
    touching: bool = True


def spread(notes: Sequence[SungNote]) -> list[NotePhonemes]:
    """Return the phones of every note.

    A `+` beyond the last syllable holds; syllables beyond the last `+` share its note. A held note that does not
    touch the one before sings its vowel anew, and after a rest it rests. Raises `BadInput` with the place of a note
    that continues nothing.
    """
    spread_notes: list[NotePhonemes] = []
    for first, end in _words(notes):
        word = notes[first:end]
        if word[0].continuation == "rest":
            spread_notes += [REST] * len(word)
        elif word[0].continuation == "word":
            spread_notes += _spread_word(word)
        else:
            raise BadInput(
                "there is nothing before this note to continue",
                where=f"notes[{first}].lyric",
                remedy="begin with a word, or move the note next to the one it continues",
            )
    return spread_notes


def _words(notes: Sequence[SungNote]) -> list[tuple[int, int]]:
    """Return where each word, with the notes that continue it, begins and ends."""
    starts = [place for place, note in enumerate(notes) if place == 0 or note.continuation not in ("syllable", "vowel")]
    return list(zip(starts, [*starts[1:], len(notes)], strict=True))


def _spread_word(word: Sequence[SungNote]) -> list[NotePhonemes]:
    syllables = word[0].syllables
    heads = [place for place, note in enumerate(word) if place == 0 or note.continuation == "syllable"]
    heads = heads[: len(syllables)]
    result: list[NotePhonemes] = []
    for number, (start, end) in enumerate(zip(heads, [*heads[1:], len(word)], strict=True)):
        last = number == len(heads) - 1
        sung = syllables[number:] if last else syllables[number : number + 1]
        result += _sing(sung, word[start:end], held_before=_last_nucleus(result))
    return result


def _sing(syllables: Sequence[Syllable], notes: Sequence[SungNote], held_before: str) -> list[NotePhonemes]:
    """Return the phones of a run of notes: syllables on the first, their last vowel held, the coda on the last."""
    first, coda = _joined(syllables)
    vowel = first.symbols[first.nuclei[-1]] if first.nuclei else held_before
    if not first.nuclei and not notes[0].touching:
        first = NotePhonemes((vowel,), (0,))
    held = [NotePhonemes() if note.touching else NotePhonemes((vowel,), (0,)) for note in notes[1:]]
    run = [first, *held]
    run[-1] = NotePhonemes((*run[-1].symbols, *coda), run[-1].nuclei)
    return run


def _joined(syllables: Sequence[Syllable]) -> tuple[NotePhonemes, tuple[str, ...]]:
    """Return syllables as the phones of one note, without the last coda, and that coda."""
    symbols: list[str] = []
    nuclei: list[int] = []
    for syllable in syllables:
        symbols += syllable.onset
        if syllable.nucleus:
            nuclei.append(len(symbols))
            symbols.append(syllable.nucleus)
        symbols += syllable.coda
    coda = syllables[-1].coda
    return NotePhonemes(tuple(symbols[: len(symbols) - len(coda)]), tuple(nuclei)), coda


def _last_nucleus(notes: Sequence[NotePhonemes]) -> str:
    return next((note.symbols[note.nuclei[-1]] for note in reversed(notes) if note.nuclei), SILENCE)
