"""English words to ARPAbet phones: the dictionary first, then what lyrics do to words, then their letters."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from quincunx_workers.lexicon import english
from quincunx_workers.singing.letters import spell_out

Phones = tuple[str, ...]

_APOSTROPHES = str.maketrans("’‘ʼ`´", "'''''")
_WORD = re.compile(r"[a-z']+")
#: soooo, looove: at the end of a word one letter is meant more often, inside it two.
_DRAWN_OUT_AT_END = re.compile(r"(.)\1{2,}$")
_DRAWN_OUT = re.compile(r"(.)\1{2,}")
_HISSING = ("s", "z", "sh", "zh", "ch", "jh")
_VOICELESS = ("p", "t", "k", "f", "th")


def words_of(text: str) -> list[str] | None:
    """Return the words of a lyric in lower case without accents, or None where a letter is not Latin."""
    folded = unicodedata.normalize("NFD", text.translate(_APOSTROPHES)).casefold()
    bare = "".join(letter for letter in folded if not unicodedata.combining(letter))
    words = re.split(r"[\s\-]+", bare.strip(" -~〜"))
    return words if all(_WORD.fullmatch(word) for word in words) else None


@lru_cache(maxsize=4096)
def pronounce(word: str) -> Phones:
    """Return the phones of one word; empty only where no letter of it sounds."""
    lexicon = english()
    for spelling in (word, *_usual_spellings(word)):
        if found := lexicon.find(spelling):
            return found
    if word.endswith("in'") and (found := lexicon.find(f"{word[:-1]}g")):
        return (*found[:-1], "n")
    if word.endswith("'s") and len(word) > len("'s"):
        return _with_s(pronounce(word.removesuffix("'s")))
    return spell_out(_usual_spellings(word)[1])


def _usual_spellings(word: str) -> tuple[str, ...]:
    bare = word.strip("'")
    short = _DRAWN_OUT_AT_END.sub(r"\1", bare)
    return bare, _DRAWN_OUT.sub(r"\1\1", short), _DRAWN_OUT.sub(r"\1\1", bare), _DRAWN_OUT.sub(r"\1", bare)


def _with_s(phones: Phones) -> Phones:
    last = phones[-1] if phones else ""
    if last in _HISSING:
        return (*phones, "ih", "z")
    return (*phones, "s" if last in _VOICELESS else "z")
