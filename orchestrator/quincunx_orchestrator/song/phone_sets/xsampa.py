"""X-SAMPA: the sounds of English, Japanese and their neighbours. Case tells sounds apart here."""

from __future__ import annotations

from collections.abc import Mapping

ROWS: Mapping[str, tuple[str, ...]] = {
    # Consonants that English has.
    "p": ("en/p",), "b": ("en/b",), "t": ("en/t",), "d": ("en/d",), "k": ("en/k",), "g": ("en/g",),
    "p_h": ("en/p",), "t_h": ("en/t",), "k_h": ("en/k",),
    "f": ("en/f",), "v": ("en/v",), "T": ("en/th",), "D": ("en/dh",), "s": ("en/s",), "z": ("en/z",),
    "S": ("en/sh",), "Z": ("en/zh",), "h": ("en/hh",), "tS": ("en/ch",), "dZ": ("en/jh",), "t_S": ("en/ch",),
    "d_Z": ("en/jh",), "m": ("en/m",), "n": ("en/n",), "N": ("en/ng",), "l": ("en/l",), "5": ("en/l",),
    "r\\": ("en/r",), "w": ("en/w",), "j": ("en/y",), "W": ("en/w",),
    # Vowels of English.
    "i:": ("en/iy",), "I": ("en/ih",), "E": ("en/eh",), "{": ("en/ae",), "A": ("en/aa",), "A:": ("en/aa",),
    "Q": ("en/aa",), "V": ("en/ah",), "@": ("en/ax", "en/ah"), "O": ("en/ao",), "O:": ("en/ao",), "U": ("en/uh",),
    "u:": ("en/uw",), "3": ("en/er",), "3:": ("en/er",), "3`": ("en/er",), "@`": ("en/er",), "@r": ("en/er",),
    "aI": ("en/ay",), "aU": ("en/aw",), "OI": ("en/oy",), "eI": ("en/ey",), "oU": ("en/ow",), "@U": ("en/ow",),
    "I@": ("en/ih en/er",), "e@": ("en/eh en/er",), "U@": ("en/uh en/er",), "O@": ("en/ao en/er",),
    "Q@": ("en/aa en/er",),
    # Vowels that stand alone are those of Japanese, which has them pure.
    "a": ("ja/a",), "i": ("ja/i",), "u": ("en/uw",), "e": ("ja/e",), "o": ("ja/o",), "M": ("ja/u",),
    "a:": ("ja/a",), "e:": ("ja/e",), "o:": ("ja/o",), "6": ("en/ah",), "1": ("en/ih",), "}": ("en/uw",),
    "y": ("zh/v", "en/iy"), "Y": ("zh/v", "en/ih"),  # round lips are missing: an i without them
    "2": ("en/er",), "9": ("en/er",),  # the round e is nearest to the English er, which lacks its clear second formant
    "7": ("zh/e", "en/ah"),  # o with spread lips
    # Consonants of Japanese.
    "p\\": ("ja/f",), "4": ("ja/r",), "N\\": ("ja/N",), "s\\": ("ja/sh",), "z\\": ("ja/j",), "ts\\": ("ja/ch",),
    "t_s\\": ("ja/ch",), "dz\\": ("ja/j",), "d_z\\": ("ja/j",), "ts": ("ja/ts",), "t_s": ("ja/ts",),
    "dz": ("ja/z",), "d_z": ("ja/z",), "C": ("ja/hy",), "J": ("ja/ny",), "h\\": ("ja/h",),
    "k'": ("ja/ky",), "g'": ("ja/gy",), "t'": ("ja/ty",), "d'": ("ja/dy",), "n'": ("ja/ny",), "b'": ("ja/by",),
    "p'": ("ja/py",), "m'": ("ja/my",), "4'": ("ja/ry",), "p\\'": ("ja/f ja/y",),
    # Neighbours.
    "x": ("zh/h", "en/hh"), "X": ("zh/h", "en/hh"),  # made further back, and louder
    "r": ("ja/r",),  # one tap of the tongue for several
    "R": ("en/r",), "r`": ("en/r",),  # another r for that of the throat
    "B": ("ja/v",), "L": ("en/l en/y",), "G": ("en/g",),  # made with a gap there, closed here
    "?": ("ja/cl",),  # a closed throat is silent
    "s`": ("zh/sh", "en/sh"), "z`": ("zh/r", "en/zh"), "ts`": ("zh/zh", "en/ch"), "ts`_h": ("zh/ch", "en/ch"),
    "ts_h": ("zh/c", "ja/ts"), "ts\\_h": ("zh/q", "ja/ch"),
}  # fmt: skip
