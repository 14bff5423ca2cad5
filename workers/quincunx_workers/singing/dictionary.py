"""A bank's dsdict file: the kinds of its phones, the words it knows, and how it renames general phones."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from quincunx_shared.errors import BadInput, BadVoicebank
from quincunx_shared.strict_yaml import Yaml, read_yaml

Phones = tuple[str, ...]


@dataclass(frozen=True)
class Dictionary:
    """Kinds and natural durations by phone, phones by grapheme, and replacements in the order of the file."""

    kinds: Mapping[str, str] = field(default_factory=dict)
    natural_ms: Mapping[str, float] = field(default_factory=dict)
    entries: Mapping[str, Phones] = field(default_factory=dict)
    replacements: tuple[tuple[Phones, Phones], ...] = ()

    def replaced(self, phones: Sequence[str]) -> Phones:
        """Return the phones with every run that a replacement names exchanged; the first that fits wins."""
        result: list[str] = []
        at = 0
        while at < len(phones):
            old, new = self._fitting(tuple(phones[at:])) or ((phones[at],), (phones[at],))
            result += new
            at += len(old)
        return tuple(result)

    def _fitting(self, rest: Phones) -> tuple[Phones, Phones] | None:
        return next((pair for pair in self.replacements if rest[: len(pair[0])] == pair[0]), None)


def parse_dictionary(content: bytes, *, where: str) -> Dictionary:
    """Read a dsdict file. A grapheme that stands twice keeps its first pronunciation, as in OpenUTAU.

    Raises `BadVoicebank` with the place of what is not as it should be.
    """
    try:
        document = read_yaml(content, where=where)
    except BadInput as error:
        raise BadVoicebank(error.what, where=error.where, remedy=error.remedy) from error
    if not isinstance(document, dict):
        raise BadVoicebank("a dsdict must hold symbols and entries", where=where)
    kinds, natural_ms = _symbols(document, where)
    entries: dict[str, Phones] = {}
    for place, one in _mappings(document, "entries", where):
        entries.setdefault(_text(one, "grapheme", place), _phones(one, "phonemes", place))
    replacements = tuple(
        (_phones(one, "from", place), _phones(one, "to", place))
        for place, one in _mappings(document, "replacements", where)
    )
    return Dictionary(kinds, natural_ms, entries, replacements)


def _symbols(document: dict[str, Yaml], where: str) -> tuple[dict[str, str], dict[str, float]]:
    kinds: dict[str, str] = {}
    natural_ms: dict[str, float] = {}
    for place, one in _mappings(document, "symbols", where):
        symbol = _text(one, "symbol", place)
        kinds[symbol] = _text(one, "type", place)
        if "duration_ms" in one:
            natural_ms[symbol] = _milliseconds(_text(one, "duration_ms", place), place)
    return kinds, natural_ms


def _mappings(document: dict[str, Yaml], key: str, where: str) -> list[tuple[str, dict[str, Yaml]]]:
    listed = document.get(key) or []
    if not isinstance(listed, list):
        raise BadVoicebank(f"{key} must be a list", where=where)
    found: list[tuple[str, dict[str, Yaml]]] = []
    for number, one in enumerate(listed):
        if not isinstance(one, dict):
            raise BadVoicebank("this must hold `key: value` pairs", where=f"{where}: {key}[{number}]")
        found.append((f"{where}: {key}[{number}]", one))
    return found


def _text(one: dict[str, Yaml], key: str, place: str) -> str:
    value = one.get(key)
    if not isinstance(value, str) or not value:
        raise BadVoicebank(f"{key} must be a text", where=place)
    return value


def _phones(one: dict[str, Yaml], key: str, place: str) -> Phones:
    value = one.get(key)
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not names:
        raise BadVoicebank(f"{key} must be a phone or a list of phones", where=place)
    phones = tuple(name for name in names if isinstance(name, str) and name)
    if len(phones) != len(names):
        raise BadVoicebank(f"{key} must hold names of phones only", where=place)
    return phones


def _milliseconds(text: str, place: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= 10_000:
        raise BadVoicebank(f"duration_ms must be between 0 and 10000, not {text!r}", where=place)
    return value
