"""JSON in which nothing surprises: readers of the field take the last of two equal keys, and NaN for a number.

Nesting and the length of numbers are bounded before and while the file is parsed, so that no file can exhaust the
stack or the processor, here or where the value is used.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

from quincunx_shared.canonical import Json
from quincunx_shared.errors import BadInput

#: Real files of this field nest four deep.
DEPTH_LIMIT = 64

#: Lists and mappings in one file, and values in them: a song of some hours. An empty list takes three bytes in the file
#: and a hundred and fifty in memory, before anybody knows that it means nothing.
COLLECTION_LIMIT = 500_000
VALUE_LIMIT = 3_000_000

#: No honest number is longer; Python refuses to convert very long ones, and slowly.
NUMBER_LENGTH = 40

#: A text, whole or cut off by the end of the file, or a bracket.
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)

_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def read_json(text: str, *, where: str) -> Json:
    """Return the value of a JSON document.

    Raises `BadInput` with the place, `file:line` or `file: [3].ph_dur`, for broken syntax, keys that stand twice,
    NaN and infinities however they are spelled, numbers longer than `NUMBER_LENGTH`, nesting below `DEPTH_LIMIT`, and
    more collections or values than a song has.
    """
    _check_size(text, where)
    wrongs: list[_Wrong] = []
    try:
        value: Json = json.loads(
            text,
            parse_int=_number(int, wrongs),
            parse_float=_number(float, wrongs),
            parse_constant=lambda written: _note(wrongs, f"{written} is no number of JSON"),
            object_pairs_hook=lambda pairs: _mapping(pairs, wrongs),
        )
    except json.JSONDecodeError as error:
        raise BadInput(f"broken JSON: {error.msg} (column {error.colno})", where=f"{where}:{error.lineno}") from error
    if wrongs:
        raise _refusal(wrongs, value, where)
    if _ESCAPED_SURROGATE.search(text):
        _check_characters(value, where)
    return value


class _Wrong:
    """Stands in a document where something cannot be taken, until its path is known."""

    def __init__(self, what: str) -> None:
        self.what = what


def _note(wrongs: list[_Wrong], what: str) -> _Wrong:
    wrongs.append(_Wrong(what))
    return wrongs[-1]


def _number(kind: Callable[[str], float], wrongs: list[_Wrong]) -> Callable[[str], float | _Wrong]:
    def parse(written: str) -> float | _Wrong:
        if len(written) > NUMBER_LENGTH:
            return _note(wrongs, f"a number of {len(written)} digits cannot be meant")
        number = kind(written)
        return number if math.isfinite(number) else _note(wrongs, f"{written} is too large for a number")

    return parse


def _mapping(pairs: list[tuple[str, Any]], wrongs: list[_Wrong]) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    for key, value in pairs:
        mapping[key] = _note(wrongs, "stands twice; keep one of them") if key in mapping else value
    return mapping


def _check_size(text: str, where: str) -> None:
    if text.count(",") > VALUE_LIMIT:
        raise BadInput(f"more than {VALUE_LIMIT:,} values are too many", where=where)
    depth = opened = 0
    for token in _TOKEN.finditer(text):
        if token[0] in "[{":
            depth += 1
            opened += 1
            if opened > COLLECTION_LIMIT:
                raise BadInput(f"more than {COLLECTION_LIMIT:,} lists and mappings are too many", where=where)
        elif token[0] in "]}":
            depth -= 1
        if depth > DEPTH_LIMIT:
            line = text.count("\n", 0, token.start()) + 1
            raise BadInput(f"brackets nest more than {DEPTH_LIMIT} deep", where=f"{where}:{line}")


def _refusal(wrongs: list[_Wrong], value: Any, where: str) -> BadInput:
    """Return the error of the first thing wrong that still has a place; what a second key replaced has none."""
    paths = ((wrong, _path_to(wrong, value)) for wrong in wrongs)
    wrong, path = next(((wrong, path) for wrong, path in paths if path), (wrongs[0], ""))
    return BadInput(wrong.what, where=f"{where}: {path}" if path else where)


def _path_to(wrong: _Wrong, value: Any) -> str:
    """Return where in a document something wrong stands, as `[3].ph_dur`, or nothing."""
    rows = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in rows:
        below = "" if inner is wrong else _path_to(wrong, inner)
        if inner is wrong or below:
            step = f"[{key}]" if isinstance(key, int) else key[:NUMBER_LENGTH]
            return f"{step}{'.' if below and not below.startswith('[') else ''}{below}"
    return ""


def _check_characters(value: Json, where: str) -> None:
    """Refuse half a character: no file, message or terminal could take it."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        half = ord(error.object[error.start])
        raise BadInput(f"a text holds \\u{half:04x}, which is half a character", where=where) from error
