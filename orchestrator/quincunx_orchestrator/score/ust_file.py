"""The text of a .ust file of UTAU: sections of `key=value` lines, in whichever encoding it was saved."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from quincunx_shared.errors import BadScore

#: Two hours of sixteenth notes have a quarter of it.
LINE_LIMIT = 400_000

#: Values in lists, such as pitch points, of all notes together and of one.
VALUE_LIMIT = 1_000_000
LIST_LIMIT = 5_000

#: Songs with drawn pitch on every note are a tenth of it.
SIZE_LIMIT = 20_000_000

_HEADING = re.compile(r"\[#([^\]]*)\]")
_CHARSET = re.compile(rb"(?im)^\s*Charset\s*=\s*UTF-?8\s*$")
#: UTAU writes the decimal point as its system does, so that it may be a comma.
_NUMBER = re.compile(r"[-+]?(?:[0-9]{1,15}(?:[.,][0-9]{0,20})?|[.,][0-9]{1,20})(?:[eE][-+]?[0-9]{1,3})?")
_SHOWN_LENGTH = 40


@dataclass(frozen=True, slots=True)
class Section:
    """What stands under one heading. `lines` says on which line each key stands; `where` is the file's name."""

    title: str
    where: str
    line: int
    values: dict[str, str]
    lines: dict[str, int]

    def refuse(self, key: str, what: str, remedy: str = "") -> BadScore:
        """Return the error that something is wrong with a key."""
        place = f"{self.where}:{self.lines.get(key, self.line)}: [#{self.title}].{key}"
        return BadScore(what, where=place, remedy=remedy)

    def text(self, key: str) -> str:
        """Return what stands at a key, nothing if it is missing."""
        return self.values.get(key, "")

    def number(self, key: str, low: float, high: float, default: float | None = None) -> float:
        """Return a number of a range; without a default the key must be there."""
        written = self.text(key).strip()
        if not written and default is not None:
            return default
        return self.parsed(key, written, low, high)

    def numbers(self, key: str, low: float, high: float, separator: str = ",") -> list[float]:
        """Return a list of numbers of a range, in which nothing between two separators is 0."""
        written = self.text(key).strip()
        if written.count(separator) >= LIST_LIMIT:
            raise self.refuse(key, f"more than {LIST_LIMIT:,} values are too many for a note")
        pieces = [piece.strip() for piece in written.split(separator)] if written else []
        return [self.parsed(key, piece or "0", low, high) for piece in pieces]

    def parsed(self, key: str, written: str, low: float, high: float) -> float:
        """Return one number of a range that stands at a key."""
        value = float(written.replace(",", ".")) if _NUMBER.fullmatch(written) else math.nan
        if not low <= value <= high:
            shown = written[:_SHOWN_LENGTH]
            raise self.refuse(key, f"must be a number from {low:g} to {high:g}, not {shown!r}")
        return value


def read_sections(raw: bytes, name: str) -> list[Section]:
    """Return the sections of a file in their order. Raises `BadScore` with the line."""
    if len(raw) > SIZE_LIMIT:
        what = f"{len(raw) / 1e6:.0f} MB are too large for a song of UTAU; at most {SIZE_LIMIT / 1e6:.0f} MB are read"
        raise BadScore(what, where=name)
    # Only these end a line: Python would also break lyrics at separators that nobody sees.
    text = _decoded(raw, name).replace("\r\n", "\n").replace("\r", "\n")
    for mark, limit, named in (("\n", LINE_LIMIT, "lines"), (",", VALUE_LIMIT, "values")):
        if text.count(mark) > limit:
            raise BadScore(f"more than {limit:,} {named} are too many for a song", where=name)
    sections: list[Section] = []
    for number, line in enumerate(text.split("\n"), 1):
        heading = _HEADING.fullmatch(line.strip())
        if heading:
            sections.append(Section(heading[1][:_SHOWN_LENGTH].upper(), name, number, {}, {}))
        elif line.strip() and sections:
            key, _, value = line.partition("=")
            sections[-1].values[key.strip()] = value
            sections[-1].lines[key.strip()] = number
        elif line.strip():
            raise BadScore("a section such as [#SETTING] must stand before this", where=f"{name}:{number}")
    return sections


def _decoded(raw: bytes, name: str) -> str:
    """Return the text: UTF-8 if the file says so or is, else Shift-JIS, in which UTAU has always saved."""
    says_utf8 = bool(_CHARSET.search(raw[:2000]))
    for codec in ("utf-8-sig",) if says_utf8 else ("utf-8-sig", "cp932"):
        try:
            return raw.decode(codec)
        except UnicodeDecodeError:
            continue
    said = "UTF-8, as its Charset says" if says_utf8 else "UTF-8 nor in Shift-JIS"
    raise BadScore(f"this is not text in {said}", where=name, remedy="save the file as UTF-8")
