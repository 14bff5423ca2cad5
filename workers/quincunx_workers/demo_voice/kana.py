"""Hiragana to phones of the demo voice: every syllable of Japanese, with the small vowels of borrowed words.

Palatalised consonants are phones of their own (きゃ is ``ky a``), as in the dictionaries of Japanese DiffSinger
banks; labialised ones are two (くぁ is ``k w a``). The particles は, へ and を are read as written or as ``o``:
how a particle is sung depends on the sentence, which a dictionary of syllables does not see.
"""

from collections.abc import Iterator
from typing import Final

#: Consonant, then the syllables it makes with a, i, u, e and o; a dot where there is none.
_ROWS: Final = (
    ("", "あいうえお"),
    ("k", "かきくけこ"),
    ("g", "がぎぐげご"),
    ("s", "さ.すせそ"),
    ("z", "ざ.ずぜぞ"),
    ("t", "た..てと"),
    ("d", "だ..でど"),
    ("n", "なにぬねの"),
    ("h", "はひ.へほ"),
    ("b", "ばびぶべぼ"),
    ("p", "ぱぴぷぺぽ"),
    ("m", "まみむめも"),
    ("y", "や.ゆ.よ"),
    ("r", "らりるれろ"),
    ("w", "わ...."),
    ("sh", ".し..."),
    ("ch", ".ち..."),
    ("ts", "..つ.."),
    ("f", "..ふ.."),
    ("v", "..ゔ.."),
)

#: Consonant, first kana, and what follows it for a, i, u, e and o.
_DIGRAPHS: Final = (
    ("ky", "き", "ゃ.ゅぇょ"),
    ("gy", "ぎ", "ゃ.ゅぇょ"),
    ("sh", "し", "ゃ.ゅぇょ"),
    ("j", "じ", "ゃ.ゅぇょ"),
    ("j", "ぢ", "ゃ.ゅぇょ"),
    ("ch", "ち", "ゃ.ゅぇょ"),
    ("ny", "に", "ゃ.ゅぇょ"),
    ("hy", "ひ", "ゃ.ゅぇょ"),
    ("by", "び", "ゃ.ゅぇょ"),
    ("py", "ぴ", "ゃ.ゅぇょ"),
    ("my", "み", "ゃ.ゅぇょ"),
    ("ry", "り", "ゃ.ゅぇょ"),
    ("ty", "て", "ゃ.ゅ.ょ"),
    ("dy", "で", "ゃ.ゅ.ょ"),
    ("f", "ふ", "ぁぃ.ぇぉ"),
    ("f y", "ふ", "ゃ.ゅ.ょ"),
    ("v", "ゔ", "ぁぃ.ぇぉ"),
    ("v y", "ゔ", "ゃ.ゅ.ょ"),
    ("ts", "つ", "ぁぃ.ぇぉ"),
    ("s", "す", ".ぃ..."),
    ("z", "ず", ".ぃ..."),
    ("t", "て", ".ぃ..."),
    ("d", "で", ".ぃ..."),
    ("t", "と", "..ぅ.."),
    ("d", "ど", "..ぅ.."),
    ("y", "い", "...ぇ."),
    ("w", "う", ".ぃ.ぇぉ"),
    ("k w", "く", "ぁぃ.ぇぉ"),
    ("g w", "ぐ", "ぁぃ.ぇぉ"),
)

_OTHERS: Final = {
    "じ": ("j", "i"),
    "ぢ": ("j", "i"),
    "づ": ("z", "u"),
    "ゐ": ("i",),
    "ゑ": ("e",),
    "を": ("o",),
    "ん": ("N",),
    "っ": ("cl",),
    "ぁ": ("a",),
    "ぃ": ("i",),
    "ぅ": ("u",),
    "ぇ": ("e",),
    "ぉ": ("o",),
}


def syllables() -> dict[str, tuple[str, ...]]:
    """Phones of every syllable, without their language."""
    return dict(_rows()) | _OTHERS


def _rows() -> Iterator[tuple[str, tuple[str, ...]]]:
    spelt = [(consonant, "", kana) for consonant, kana in _ROWS] + list(_DIGRAPHS)
    for consonant, first, row in spelt:
        for second, vowel in zip(row, "aiueo", strict=True):
            if second != ".":
                yield first + second, (*consonant.split(), vowel)
