"""Pinyin: every syllable of Mandarin, how it is spelt, and its initial and final as Mandarin banks name them.

The names are those of the opencpop-extension dictionary, which most Mandarin banks sing: `i0` is the vowel of zi,
`ir` that of zhi, `v` is ü, `E` and `En` stand behind y. A final is one phone, glide and nasal included.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache

Phones = tuple[str, ...]

#: Initial as it is spelt → the finals it takes, as they are spelt; ü is v where u is another sound.
_SPELT: Mapping[str, str] = {
    "": "a o e ai ei ao ou an en ang eng er",
    "b": "a o ai ei ao an en ang eng i ie iao ian in ing u",
    "p": "a o ai ei ao ou an en ang eng i ie iao ian in ing u",
    "m": "a o e ai ei ao ou an en ang eng i ie iao iu ian in ing u",
    "f": "a o ei ou an en ang eng u",
    "d": "a e ai ei ao ou an en ang eng ong i ia ie iao iu ian ing u uo ui uan un",
    "t": "a e ai ei ao ou an ang eng ong i ie iao ian ing u uo ui uan un",
    "n": "a e ai ei ao ou an en ang eng ong i ia ie iao iu ian in iang ing u uo uan un v ve ue",
    "l": "a o e ai ei ao ou an ang eng ong i ia ie iao iu ian in iang ing u uo uan un v ve ue",
    "g": "a e ai ei ao ou an en ang eng ong u ua uo uai ui uan un uang",
    "k": "a e ai ei ao ou an en ang eng ong u ua uo uai ui uan un uang",
    "h": "a e ai ei ao ou an en ang eng ong u ua uo uai ui uan un uang",
    "j": "i ia ie iao iu ian in iang ing iong u ue uan un",
    "q": "i ia ie iao iu ian in iang ing iong u ue uan un",
    "x": "i ia ie iao iu ian in iang ing iong u ue uan un",
    "zh": "a e ai ei ao ou an en ang eng ong i u ua uo uai ui uan un uang",
    "ch": "a e ai ao ou an en ang eng ong i u ua uo uai ui uan un uang",
    "sh": "a e ai ei ao ou an en ang eng i u ua uo uai ui uan un uang",
    "r": "e ao ou an en ang eng ong i u ua uo ui uan un",
    "z": "a e ai ei ao ou an en ang eng ong i u uo ui uan un",
    "c": "a e ai ei ao ou an en ang eng ong i u uo ui uan un",
    "s": "a e ai ao ou an en ang eng ong i u uo ui uan un",
    "y": "a o e ai ao ou an ang ong i in ing u ue uan un",
    "w": "a o ai ei an en ang eng u",
}
#: Syllables that are no initial and final: hums, and ê.
_OTHERS: Mapping[str, Phones] = {"eh": ("E",), "m": ("m",), "n": ("en",), "ng": ("en",), "hng": ("h", "eng")}

_ROUNDED = {"u": "v", "ue": "ve", "uan": "van", "un": "vn"}
_AFTER: Mapping[str, Mapping[str, str]] = {
    **dict.fromkeys(("j", "q", "x"), _ROUNDED),
    "y": {**_ROUNDED, "e": "E", "an": "En"},
    **{initial: {"ue": "ve"} for initial in ("n", "l")},
    **{initial: {"i": "ir"} for initial in ("zh", "ch", "sh", "r")},
    **{initial: {"i": "i0"} for initial in ("z", "c", "s")},
}

_TONE_MARKS = frozenset("\u0304\u0301\u030c\u0300")
_DIAERESIS = "\u0308"
_NUMBERED = re.compile(r"([a-z]+)([0-5]?)")


@cache
def syllables() -> Mapping[str, Phones]:
    """Phones of every syllable in its plain spelling, tones left out and ü written v; some 410."""
    regular = {
        initial + final: (*((initial,) if initial else ()), _AFTER.get(initial, {}).get(final, final))
        for initial, finals in _SPELT.items()
        for final in finals.split()
    }
    return {**regular, **_OTHERS}


def plain_spelling(text: str) -> str | None:
    """Return one syllable of Pinyin without its tone: `lü4`, `lǜ`, `lu:` and `lv` are `lv`. None for all else."""
    folded = unicodedata.normalize("NFD", text.casefold().replace("u:", "v"))
    letters = "".join(letter for letter in folded if letter not in _TONE_MARKS).replace("u" + _DIAERESIS, "v")
    found = _NUMBERED.fullmatch(letters)
    if found is None:
        return None
    spelling = found[1]
    if spelling[:1] in ("j", "q", "x", "y") and spelling not in syllables():
        spelling = spelling.replace("v", "u")
    return spelling if spelling in syllables() else None


def has_tone(text: str) -> bool:
    """Whether this is a syllable of Pinyin that says its tone, so that it can be no word of another language."""
    marked = text[-1:] in tuple("12345") or not _TONE_MARKS.isdisjoint(unicodedata.normalize("NFD", text))
    return marked and plain_spelling(text) is not None
