"""One voice out of many notes: a singer sings one note at a time, and files for players hold more than that."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Word = TypeVar("Word")


@dataclass(frozen=True, slots=True)
class Struck(Generic[Word]):
    """A note as a player has it: from tick to tick, its tone, and what is sung on it, if anything is written."""

    start_tick: int
    end_tick: int
    tone: int
    word: Word | None = None


@dataclass(frozen=True, slots=True)
class OneVoice(Generic[Word]):
    """The notes that are sung, none overlapping the next, and how many were cut or left out for that."""

    notes: tuple[Struck[Word], ...]
    chord_notes: int
    shortened: int


def one_voice(notes: Iterable[Struck[Word]]) -> OneVoice[Word]:
    """Keep of every chord its highest note, and end each note where the next begins.

    The words of a chord go to the note that stays. Notes without length are no notes.
    """
    lasting = sorted((one for one in notes if one.end_tick > one.start_tick), key=lambda one: one.start_tick)
    chords: list[list[Struck[Word]]] = []
    for one in lasting:
        if chords and chords[-1][0].start_tick == one.start_tick:
            chords[-1].append(one)
        else:
            chords.append([one])
    tops = [_top(chord) for chord in chords]
    sung = [_ended(one, after.start_tick) for one, after in itertools.pairwise(tops)] + tops[-1:]
    shortened = sum(one.end_tick != top.end_tick for one, top in zip(sung, tops, strict=True))
    return OneVoice(tuple(sung), len(lasting) - len(tops), shortened)


def _top(chord: Sequence[Struck[Word]]) -> Struck[Word]:
    highest = max(chord, key=lambda one: one.tone)
    word = next((one.word for one in (highest, *chord) if one.word is not None), None)
    return Struck(highest.start_tick, highest.end_tick, highest.tone, word)


def _ended(one: Struck[Word], limit: int) -> Struck[Word]:
    return Struck(one.start_tick, min(one.end_tick, limit), one.tone, one.word)
