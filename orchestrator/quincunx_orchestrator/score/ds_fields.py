"""Typed access to one segment of a .ds file, whose sequences are texts with spaces; errors say where.

song.ds: [3].ph_dur[17]: must be a number from 0 to 600, not 'x'
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from quincunx_orchestrator.score.transcript import Level, SampledCurve
from quincunx_shared.canonical import Json
from quincunx_shared.errors import BadScore

#: More than half an hour of the finest curves that are written.
MOST_VALUES = 1_000_000

#: Longer than any song; a file that says more would only fill the memory with silence.
MOST_SECONDS = 4 * 3600.0

_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_NUMBER_LENGTH = 40
_SHOWN_LENGTH = 40

#: Finer steps than these are no curves; what is coarser than a song is none either.
_TIMESTEPS = (1e-4, 60.0)


@dataclass(frozen=True, slots=True)
class SegmentFields:
    """The members of one segment; nulls count as if they were not there, as OpenUTAU writes them."""

    file: str
    place: str
    members: Mapping[str, Json]

    def refuse(self, path: str, what: str, remedy: str = "") -> BadScore:
        """Return the error that puts `what` at a path within the segment."""
        dot = "." if self.place and path else ""
        return BadScore(what, where=f"{self.file}: {self.place}{dot}{path}", remedy=remedy)

    def has(self, key: str) -> bool:
        """Whether something stands at a key. An empty text is nothing."""
        return self.members.get(key) not in (None, "")

    def text(self, key: str) -> str:
        """Return a text, empty where there is none."""
        value = self.members.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self.refuse(key, f"must be text, not {shown(value)}")
        return value

    def number(self, key: str, low: float, high: float, default: float | None = None) -> float:
        """Return a number, or a text that is one."""
        if not self.has(key):
            if default is None:
                raise self.refuse(key, "is missing")
            return default
        return self._number(key, self.members[key], low, high)

    def integer(self, key: str) -> int | None:
        """Return a whole number, or None where there is none."""
        if not self.has(key):
            return None
        value = self.members[key]
        written = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if not isinstance(written, str) or not re.fullmatch(r"-?[0-9]{1,20}", written):
            raise self.refuse(key, f"must be a whole number, not {shown(value)}")
        return int(written)

    def words(self, key: str) -> tuple[str, ...]:
        """Return the words of a sequence; none where it is missing."""
        value = self.members.get(key)
        if value is None:
            return ()
        if not isinstance(value, str):
            remedy = 'write its values in one text, with spaces between: "0.1 0.2"'
            raise self.refuse(key, f"must be text, not {shown(value)}", remedy if isinstance(value, list) else "")
        found = value.split(None, MOST_VALUES)
        if len(found) > MOST_VALUES:
            raise self.refuse(key, f"has more than {MOST_VALUES} values")
        return tuple(found)

    def numbers(self, key: str, low: float, high: float) -> tuple[float, ...]:
        """Return the numbers of a sequence, each of the range."""
        return self._numbers(key, self.words(key), low, high)

    def counts(self, key: str, high: int) -> tuple[int, ...]:
        """Return the whole numbers of a sequence, from 0 to `high`."""
        numbers = self.numbers(key, 0, high)
        for place, number in enumerate(numbers):
            if not number.is_integer():
                raise self.refuse(f"{key}[{place}]", f"must be a whole number, not {number:g}")
        return tuple(int(number) for number in numbers)

    def curve(self, key: str, timestep_key: str, low: float, high: float) -> SampledCurve:
        """Return a curve and its time step."""
        values = self.numbers(key, low, high)
        if not self.has(timestep_key):
            remedy = f'say how many seconds lie between the values of {key}: "{timestep_key}": "0.005"'
            raise self.refuse(timestep_key, "is missing", remedy)
        return SampledCurve(values, self.number(timestep_key, *_TIMESTEPS))

    def level(self, key: str, timestep_key: str, low: float, high: float) -> Level:
        """Return a number that holds all the time, or a curve. A curve of one value is such a number."""
        value = self.members[key]
        if isinstance(value, int | float) and not isinstance(value, bool):
            return self._number(key, value, low, high)
        words = self.words(key)
        if len(words) == 1 and not self.has(timestep_key):
            return self._numbers(key, words, low, high)[0]
        return self.curve(key, timestep_key, low, high)

    def inner(self, key: str) -> SegmentFields:
        """Return the mapping at a key, empty where there is none."""
        value = self.members.get(key)
        if value is None:
            value = {}
        if not isinstance(value, dict):
            raise self.refuse(key, f"must be a mapping of names to weights, not {shown(value)}")
        return SegmentFields(self.file, f"{self.place}.{key}".removeprefix("."), value)

    def _number(self, path: str, value: Json, low: float, high: float) -> float:
        number = _number(value)
        if number is None or not low <= number <= high:
            raise self.refuse(path, f"must be a number from {low:g} to {high:g}, not {shown(value)}")
        return number

    def _numbers(self, key: str, words: tuple[str, ...], low: float, high: float) -> tuple[float, ...]:
        found = _floats(words)
        if found and low <= min(found) and max(found) <= high:
            return found
        return tuple(self._number(f"{key}[{place}]", word, low, high) for place, word in enumerate(words))


def shown(value: Json) -> str:
    """Return what an error repeats of a wrong value."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = repr(value) if not isinstance(value, str) or len(value) <= _SHOWN_LENGTH else ""
    return text or f"{str(value)[: _SHOWN_LENGTH // 2]!r}… ({len(str(value))} characters)"


def _floats(words: tuple[str, ...]) -> tuple[float, ...]:
    """Return all words as numbers at once, or nothing if any of them may be something else: a file holds millions."""
    written = " ".join(words)
    # Python takes more for a number than we do: `1_0`, `nan`, digits of other scripts.
    if not written.isascii() or any(mark in written for mark in "_nN"):
        return ()
    try:
        return tuple(map(float, words))
    except ValueError:
        return ()


def _number(value: Json) -> float | None:
    """Return a finite number, written as one or as text, or None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, str) and len(value) <= _NUMBER_LENGTH and _NUMBER.fullmatch(value):
        number = float(value)
        return number if math.isfinite(number) else None
    return None
