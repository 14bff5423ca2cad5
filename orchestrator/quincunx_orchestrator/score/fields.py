"""Typed access to a document of which every scalar is text, with errors that say where.

`Fields` is one mapping of the document and knows its path. Whoever asks it for a value says what the value must be;
what is not so raises `BadScore` at `song.ustx:123: voice_parts[2].notes[17].duration`. Lines are looked up only then.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from quincunx_shared.errors import BadScore
from quincunx_shared.strict_yaml import Yaml, line_of

Path: TypeAlias = "tuple[str | int, ...]"
_Wanted = TypeVar("_Wanted", int, float)

#: The largest whole number OpenUTAU can hold; as an upper bound it reads as no bound at all.
INT_LIMIT = 2**31 - 1

_TRUE = frozenset({"true", "yes", "on", "y"})
_FALSE = frozenset({"false", "no", "off", "n"})
#: How YAML writes that nothing is there. As a lyric they are words, so text fields do not ask.
_NULLS = frozenset({"", "~", "null"})

_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
#: No honest number is longer; Python refuses to convert very long ones, and slowly.
_NUMBER_LENGTH = 40
#: How much of a wrong value an error repeats.
_SHOWN_LENGTH = 40


@dataclass(frozen=True, slots=True)
class Document:
    """The file, to say where in it something is wrong."""

    name: str
    content: bytes

    def refuse(self, path: Path, what: str, remedy: str = "") -> BadScore:
        """Return the error that puts `what` at a path."""
        place = f"{self.name}:{line_of(self.content, path)}"
        return BadScore(what, where=f"{place}: {dotted(path)}" if path else place, remedy=remedy)


@dataclass(frozen=True, slots=True)
class Fields:
    """One mapping of a document."""

    document: Document
    path: Path
    values: dict[str, Yaml]

    def refuse(self, key: str, must: str, remedy: str = "") -> BadScore:
        """Return the error that a value is not what it must be, or is missing."""
        if key not in self.values:
            return self.document.refuse((*self.path, key), "is missing", remedy)
        return self.document.refuse((*self.path, key), f"must be {must}, not {_shown(self.values[key])}", remedy)

    def has(self, key: str) -> bool:
        """Whether something stands at a key, other than nothing spelled out."""
        value = self.values.get(key, "")
        return not (isinstance(value, str) and value.lower() in _NULLS)

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text as it was written; without a default the key must be there."""
        value = self.values.get(key, default)
        if not isinstance(value, str):
            raise self.refuse(key, "text")
        return value

    def flag(self, key: str, default: bool) -> bool:
        """Return a truth value in any spelling of YAML."""
        if not self.has(key):
            return default
        value = self.values[key]
        word = value.lower() if isinstance(value, str) else ""
        if word not in _TRUE and word not in _FALSE:
            raise self.refuse(key, "true or false")
        return word in _TRUE

    def integer(self, key: str, low: int, high: int = INT_LIMIT, default: int | None = None) -> int:
        """Return a whole number of a range; without a default the key must be there."""
        if default is not None and not self.has(key):
            return default
        value = _integer(self.values.get(key, ""))
        if value is None or not low <= value <= high:
            raise self.refuse(key, f"a whole number {_range(low, high)}")
        return value

    def number(self, key: str, low: float, high: float, default: float | None = None) -> float:
        """Return a number of a range; without a default the key must be there."""
        if default is not None and not self.has(key):
            return default
        value = _number(self.values.get(key, ""))
        if value is None or not low <= value <= high:
            raise self.refuse(key, f"a number {_range(low, high)}")
        return value

    def clamped(self, key: str, low: float, high: float, default: float) -> float:
        """Return a number, moved to the nearest end of its range if it lies outside."""
        if not self.has(key):
            return default
        value = _number(self.values[key])
        if value is None or not math.isfinite(value):
            raise self.refuse(key, f"a number {_range(low, high)}")
        return float(min(max(value, low), high))

    def child(self, key: str) -> Fields:
        """Return the mapping at a key; nothing there is an empty one."""
        value = self.values[key] if self.has(key) else {}
        if not isinstance(value, dict):
            raise self.refuse(key, "a mapping")
        return Fields(self.document, (*self.path, key), value)

    def children(self, key: str) -> Iterator[Fields]:
        """Yield the mappings of the list at a key; nothing there is an empty list."""
        path = (*self.path, key)
        for place, value in enumerate(self._list(key)):
            if not isinstance(value, dict):
                raise self.document.refuse((*path, place), f"must be a mapping, not {_shown(value)}")
            yield Fields(self.document, (*path, place), value)

    def integers(self, key: str, low: int, high: int) -> tuple[int, ...]:
        """Return the list of whole numbers at a key, each of the range."""
        wanted = f"a whole number {_range(low, high)}"
        numbers = [_integer(value) for value in self._list(key)]
        return self._within(key, numbers, low, high, wanted)

    def numbers(self, key: str, low: float, high: float) -> tuple[float, ...]:
        """Return the list of numbers at a key, each of the range."""
        numbers = [_number(value) for value in self._list(key)]
        return self._within(key, numbers, low, high, f"a number {_range(low, high)}")

    def length(self, key: str) -> int:
        """How many items the list at a key has."""
        return len(self._list(key))

    def _list(self, key: str) -> list[Yaml]:
        value = self.values[key] if self.has(key) else []
        if not isinstance(value, list):
            raise self.refuse(key, "a list")
        return value

    def _within(
        self, key: str, found: list[_Wanted | None], low: float, high: float, wanted: str
    ) -> tuple[_Wanted, ...]:
        values: list[_Wanted] = []
        for place, value in enumerate(found):
            if value is None or not low <= value <= high:
                written = _shown(self._list(key)[place])
                raise self.document.refuse((*self.path, key, place), f"must be {wanted}, not {written}")
            values.append(value)
        return tuple(values)


def dotted(path: Path) -> str:
    """Write a path as people do: `voice_parts[2].notes[17].lyric`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step[:_SHOWN_LENGTH]}" for step in path)
    return "".join(steps).removeprefix(".")


def _number(value: Yaml) -> float | None:
    """Return a number as written, infinity for what is too large, or None for what is no number."""
    if isinstance(value, str) and len(value) <= _NUMBER_LENGTH and _NUMBER.fullmatch(value):
        return float(value)
    return None


def _integer(value: Yaml) -> int | None:
    """Return a whole number; `480.0` is one, as other programs write it."""
    number = _number(value)
    return int(number) if number is not None and number.is_integer() else None


def _range(low: float, high: float) -> str:
    return f"of at least {low}" if high >= INT_LIMIT else f"from {low:g} to {high:g}"


def _shown(value: Yaml) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if len(value) <= _SHOWN_LENGTH:
        return repr(value)
    return f"{value[: _SHOWN_LENGTH // 2]!r}… ({len(value)} characters)"
