"""Japanese syllables, written in kana or in Latin letters, to phones.

A mora is a tuple of phones; the empty mora is the long mark ー, which holds the vowel before it. Phones have the
bare names DiffSinger banks use: `k ky sh ts cl N …`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

Mora = tuple[str, ...]

_VOWELS = "aiueo"
#: Consonant → its five kana for a i u e o; `_` where another row has it.
_ROWS = {
    "": "あいうえお",
    "k": "かきくけこ",
    "g": "がぎぐげご",
    "s": "さ_すせそ",
    "z": "ざ_ずぜぞ",
    "t": "た__てと",
    "d": "だ__でど",
    "n": "なにぬねの",
    "h": "はひ_へほ",
    "b": "ばびぶべぼ",
    "p": "ぱぴぷぺぽ",
    "m": "まみむめも",
    "y": "や_ゆ_よ",
    "r": "らりるれろ",
    "w": "わ____",
    "sh": "_し___",
    "j": "_じ___",
    "ch": "_ち___",
    "ts": "__つ__",
    "f": "__ふ__",
    "v": "__ゔ__",
}
_PLAIN: Mapping[str, tuple[str, str]] = {
    kana: (consonant, vowel)
    for consonant, row in _ROWS.items()
    for kana, vowel in zip(row, _VOWELS, strict=True)
    if kana != "_"
} | {"ぢ": ("j", "i"), "づ": ("z", "u"), "ゐ": ("", "i"), "ゑ": ("", "e"), "を": ("", "o")}
_SMALL_Y = dict(zip("ゃゅょ", "auo", strict=True))
_SMALL_VOWEL = dict(zip("ぁぃぅぇぉゎ", "aiueoa", strict=True))
#: Consonants that have a palatal form of their own, or are palatal already.
_PALATAL = {"": "y", **{c: f"{c}y" for c in "kgtdnhbpmrfv"}, "sh": "sh", "j": "j", "ch": "ch"}

_N, _CL, _LONG = "ん", "っ", "ー"
_LONG_MARKS = dict.fromkeys(map(ord, "-~〜"), _LONG)

#: Spellings of Hepburn and Kunrei romanisation that differ from the phones.
_ROMAN_ONSETS = {
    "sh": ("sh",), "sy": ("sh",), "ch": ("ch",), "ty": ("ch",), "cy": ("ch",), "ts": ("ts",), "j": ("j",),
    "jy": ("j",), "zy": ("j",), "fy": ("fy",), "vy": ("vy",), "kw": ("k", "w"), "gw": ("g", "w"), "th": ("t",),
    "dh": ("d",), "l": ("r",), "c": ("k",), "q": ("k",), "": (),
    **{c: (c,) for c in "kgsztdnhbpmyrwfv"},
    **{f"{c}y": (f"{c}y",) for c in "kgndhbpmr"},
}  # fmt: skip
_ROMAN_SPECIAL = {("s", "i"): "sh", ("t", "i"): "ch", ("t", "u"): "ts", ("h", "u"): "f", ("z", "i"): "j"}
_ROMAN = re.compile(
    rf"(?P<onset>{'|'.join(sorted(_ROMAN_ONSETS, key=len, reverse=True))})(?P<vowel>[aiueo])"
    r"|(?P<n>n'|n(?![aiueoy]))|(?P<cl>(?P<twin>[kstpcgzdbfhjmrv])(?=(?P=twin))|t(?=ch))|(?P<long>-)"
)


def has_kana(text: str) -> bool:
    """Whether a lyric is written in kana, at least partly."""
    return any("ぁ" <= letter <= "ゖ" or letter in (_LONG, "ゝ", "ゞ") for letter in to_hiragana(text))


def to_hiragana(text: str) -> str:
    """Return text with katakana, half-width and decomposed kana as plain hiragana; the rest as NFKC leaves it."""
    folded = unicodedata.normalize("NFKC", text)
    return "".join(chr(ord(letter) - 0x60) if "ァ" <= letter <= "ヶ" else letter for letter in folded)


def kana_moras(text: str) -> list[Mora] | None:
    """Return the moras of a lyric in kana, or None where a character is no kana."""
    letters = to_hiragana(text).translate(_LONG_MARKS)
    moras: list[Mora] = []
    at = 0
    while at < len(letters):
        mora, used = _mora_at(letters, at)
        if mora is None:
            return None
        moras.append(mora)
        at += used
    return _join_small_tsu(moras)


def roman_moras(text: str) -> list[Mora] | None:
    """Return the moras of a lyric in Latin letters (Hepburn or Kunrei), or None where it is no Japanese."""
    letters = unicodedata.normalize("NFKC", text).casefold()
    moras: list[Mora] = []
    at = 0
    while at < len(letters):
        found = _ROMAN.match(letters, at)
        if found is None:
            return None
        moras.append(_roman_mora(found))
        at = found.end()
    return _join_small_tsu(moras)


def _mora_at(letters: str, at: int) -> tuple[Mora | None, int]:
    letter, following = letters[at], letters[at + 1 : at + 2]
    if letter in (_N, _CL, _LONG):
        return {_N: ("N",), _CL: ("cl",), _LONG: ()}[letter], 1
    if letter in _SMALL_Y or letter in _SMALL_VOWEL:
        return _phones("y" if letter in _SMALL_Y else "", _SMALL_Y.get(letter) or _SMALL_VOWEL[letter]), 1
    if letter not in _PLAIN:
        return None, 1
    consonant, vowel = _PLAIN[letter]
    joined = _digraph(consonant, vowel, following)
    return (joined, 2) if joined else (_phones(consonant, vowel), 1)


def _digraph(consonant: str, vowel: str, small: str) -> Mora | None:
    """Return the mora of a kana and the small kana after it, or None where the two do not melt into one."""
    if small in _SMALL_Y:
        return _phones(_PALATAL.get(consonant, consonant), _SMALL_Y[small]) if vowel in "iue" else None
    if small not in _SMALL_VOWEL or _SMALL_VOWEL[small] == vowel:
        return None
    sung = _SMALL_VOWEL[small]
    if vowel == "u":
        return (consonant, "w", sung) if consonant in ("k", "g") else _phones(consonant or "w", sung)
    if vowel == "i":
        return _phones(_PALATAL.get(consonant, consonant), sung)
    return _phones(consonant, sung) if consonant in ("t", "d") else None


def _phones(consonant: str, vowel: str) -> Mora:
    return (consonant, vowel) if consonant else (vowel,)


def _roman_mora(found: re.Match[str]) -> Mora:
    if found["vowel"] is None:
        return ("N",) if found["n"] else ("cl",) if found["cl"] else ()
    onset, vowel = found["onset"], found["vowel"]
    special = _ROMAN_SPECIAL.get((onset, vowel))
    return ((special,) if special else _ROMAN_ONSETS[onset]) + (vowel,)


def _join_small_tsu(moras: list[Mora]) -> list[Mora]:
    """Put each っ before the mora it doubles; one that ends the lyric closes the last mora."""
    joined: list[Mora] = []
    stops: Mora = ()
    for mora in moras:
        if mora == ("cl",):
            stops = mora
        else:
            joined.append(stops + mora)
            stops = ()
    if stops and joined:
        joined[-1] += stops
        return joined
    return [*joined, stops] if stops else joined
