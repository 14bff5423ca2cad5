"""Phones to syllables: every vowel carries one, and consonants between vowels open the next as far as speech allows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from quincunx_workers.singing.phonology import bare_name

Phones = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Syllable:
    """Consonants, what carries the tone, consonants. Without a nucleus it holds the syllable before it."""

    onset: Phones
    nucleus: str
    coda: Phones = ()


#: Clusters that open a syllable in English; single consonants other than `ng` do anyway, and `cl` with any.
_ONSETS = frozenset(
    {tuple(cluster) for cluster in ("pl", "pr", "bl", "br", "tr", "tw", "dr", "dw", "kl", "kr", "kw", "gl", "gr", "gw")}
    | {tuple(cluster) for cluster in ("fl", "fr", "sp", "st", "sk", "sm", "sn", "sl", "sw", "sf", "py", "by", "ky")}
    | {tuple(cluster) for cluster in ("fy", "my", "vy", "spl", "spr", "str", "skr", "skw", "spy", "sky")}
    | {("th", "r"), ("sh", "r"), ("hh", "y"), ("hh", "w"), ("h", "y")}
)
#: What a syllable without a vowel (hmm, shh) is held on, best first.
_HELD_KINDS = ("nasal", "liquid", "semivowel", "fricative")


def syllabify(phones: Sequence[str], kind: Callable[[str], str]) -> tuple[Syllable, ...]:
    """Return the syllables of a word. `kind` tells the type of a phone; no phones are no syllables."""
    places = [place for place, phone in enumerate(phones) if kind(phone) in ("vowel", "silence")]
    if not places and phones:
        places = [_held_place(phones, kind)]
    bounds = [0, *(_onset_place(phones, left, right) for left, right in pairwise(places)), len(phones)]
    return tuple(
        Syllable(tuple(phones[start:place]), phones[place], tuple(phones[place + 1 : end]))
        for place, (start, end) in zip(places, pairwise(bounds), strict=False)
    )


def _onset_place(phones: Sequence[str], left: int, right: int) -> int:
    """Return where the syllable of the vowel at `right` begins: the longest cluster that can open one."""
    names = [bare_name(phone) for phone in phones]
    fits = (start for start in range(left + 1, right) if _opens(tuple(names[start:right])))
    return next(fits, right)


def _opens(cluster: Phones) -> bool:
    if cluster[0] == "cl":
        return True
    return cluster != ("ng",) if len(cluster) == 1 else cluster in _ONSETS


def _held_place(phones: Sequence[str], kind: Callable[[str], str]) -> int:
    kinds = [kind(phone) for phone in phones]
    return next((kinds.index(best) for best in _HELD_KINDS if best in kinds), 0)
