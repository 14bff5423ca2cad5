"""Names of notes: `C4`, `A#3`, `Bb3`, `C4+12` (cents), `rest`."""

from __future__ import annotations

import re

REST = "rest"

_NAME = re.compile(r"([A-Ga-g])([#♯b♭!]{0,2})(-?[0-9])([-+][0-9]{1,2})?")
_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_ACCIDENTALS = {"#": 1, "♯": 1, "b": -1, "♭": -1, "!": -1}
SHARP_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


def tone_of(name: str) -> float | None:
    """Return the MIDI tone of a note's name, cents as a fraction; A4 is 69. None if it names none."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    letter, accidentals, octave, cents = found.groups()
    tone = 12 * (int(octave) + 1) + _STEPS[letter.upper()] + sum(_ACCIDENTALS[one] for one in accidentals)
    return tone + int(cents or 0) / 100


def name_of(tone: float) -> str:
    """Return the name of a MIDI tone, cents rounded to whole ones."""
    hundredths = round(tone * 100)
    nearest = (hundredths + 50) // 100
    cents = hundredths - 100 * nearest
    return f"{SHARP_NAMES[nearest % 12]}{nearest // 12 - 1}{f'{cents:+d}' if cents else ''}"
