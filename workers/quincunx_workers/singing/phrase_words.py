"""A phrase as the words that predicting models know: each begins with its vowel or its rest, the first with silence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from quincunx_shared.phonemes import BREATH, SILENCE, Phonemes

#: What rings on of the last sound, as with durations by rule.
RELEASE_SECONDS = 0.035


@dataclass(frozen=True, slots=True)
class Words:
    """Phones in order, how many stand in each word, its seconds and its tone; None for a word that rests."""

    symbols: tuple[str, ...]
    counts: tuple[int, ...]
    seconds: tuple[float, ...]
    tones: tuple[float | None, ...]


def words_of(
    phonemes: Phonemes,
    notes: Sequence[tuple[float, float]],
    tones: Sequence[float],
    *,
    head_seconds: float,
    total_seconds: float,
    breath: bool,
) -> Words:
    """Return the words of a phrase; they last from `-head_seconds` to `total_seconds` behind that.

    `notes` are start and end of every note in seconds from the anchor. Gaps between notes and what follows the last
    are rests.
    """
    drawn = _Drawn([SILENCE, BREATH] if breath else [SILENCE], -head_seconds)
    end = 0.0
    for note, (start, stop), tone in zip(phonemes.notes, notes, tones, strict=True):
        if start > end:
            drawn.begin(SILENCE, end, None)
        for place, symbol in enumerate(note.symbols):
            if place in note.nuclei:
                share = (stop - start) * note.nuclei.index(place) / len(note.nuclei)
                drawn.begin(symbol, start + share, None if symbol in (SILENCE, BREATH) else tone)
            else:
                drawn.groups[-1].append(symbol)
        end = stop
    drawn.begin(SILENCE, end + RELEASE_SECONDS, None)
    return drawn.until(total_seconds - head_seconds)


class _Drawn:
    """Words as they come: their phones, when each begins, and its tone."""

    def __init__(self, opening: list[str], start: float) -> None:
        self.groups = [opening]
        self._starts = [start]
        self._tones: list[float | None] = [None]

    def begin(self, symbol: str, start: float, tone: float | None) -> None:
        """Begin the next word."""
        self.groups.append([symbol])
        self._starts.append(start)
        self._tones.append(tone)

    def until(self, end: float) -> Words:
        """Return the words, the last of which lasts until `end`."""
        lengths = tuple(max(later - earlier, 0.0) for earlier, later in pairwise([*self._starts, end]))
        symbols = tuple(symbol for group in self.groups for symbol in group)
        return Words(symbols, tuple(map(len, self.groups)), lengths, tuple(self._tones))
