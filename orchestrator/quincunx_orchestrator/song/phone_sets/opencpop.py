"""Opencpop-extension: the initials and finals of pinyin, as most .ds files are written in."""

from __future__ import annotations

from collections.abc import Mapping


def _own(rows: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    return {phone: (f"zh/{phone}", near) for phone, near in rows.items()}


ROWS: Mapping[str, tuple[str, ...]] = _own({
    # Initials. Mandarin has no voiced stops: b d g are [p t k] without breath, which English writes b d g.
    "b": "en/b", "p": "en/p", "d": "en/d", "t": "en/t", "g": "en/g", "k": "en/k",
    "m": "en/m", "n": "en/n", "l": "en/l", "f": "en/f", "s": "en/s", "sh": "en/sh", "ch": "en/ch",
    "w": "en/w", "y": "en/y",
    "h": "en/hh",  # [x] is made further back in the mouth than English h, and louder
    "r": "en/r",  # [ʐ] buzzes a little, English r does not
    "z": "ja/ts", "c": "ja/ts",  # only breath tells them apart, which Japanese ts has not
    "zh": "en/jh",  # [ʈʂ] is curled back and voiceless
    "j": "ja/j", "q": "ja/ch", "x": "ja/sh",  # j is voiceless in Mandarin
    # Finals of one vowel.
    "a": "ja/a", "o": "ja/o", "i": "ja/i", "u": "en/uw", "er": "en/er",
    "e": "en/ah",  # [ɤ], o with spread lips: neither English nor Japanese has it
    "E": "en/eh", "EH": "en/eh",
    "i0": "en/ih", "ir": "en/ih",  # the buzzing vowels of si and shi, nearest to a dull i
    "v": "en/iy",  # [y], i with round lips: without them it is an i
    # Glides inside a syllable and nasals at its end.
    "ai": "en/ay", "ei": "en/ey", "ao": "en/aw", "ou": "en/ow",
    "an": "ja/a en/n", "en": "en/ah en/n", "ang": "en/aa en/ng", "eng": "en/ah en/ng", "ong": "en/uh en/ng",
    "En": "en/eh en/n",
    "ia": "en/y ja/a", "ie": "en/y en/eh", "iao": "en/y en/aw", "iu": "en/y en/ow", "ian": "en/y en/eh en/n",
    "in": "ja/i en/n", "iang": "en/y en/aa en/ng", "ing": "ja/i en/ng", "iong": "en/y en/uh en/ng",
    "io": "en/y en/ao",
    "ua": "en/w ja/a", "uo": "en/w en/ao", "uai": "en/w en/ay", "ui": "en/w en/ey", "uan": "en/w ja/a en/n",
    "un": "en/w en/ah en/n", "uang": "en/w en/aa en/ng", "ueng": "en/w en/ah en/ng",
    # The round glide before these is sung as y: see v.
    "ve": "en/y en/eh", "van": "en/y en/eh en/n", "vn": "en/iy en/n",
})  # fmt: skip
