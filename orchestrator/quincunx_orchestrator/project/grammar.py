"""Operations as they are typed and as a batch file has them, made requests. Wrong words are refused with their place.

"lyric 1:2:1 night"   "offset t1-3f2a pitch.f0 20"   "curve 1 pitd 0=0 240=40 480=0"   "bypass 1:3 post audio=audio"
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields

from pydantic import ValidationError

from quincunx_orchestrator.project.requests import REQUESTS, Request, batch_adapter
from quincunx_shared.canonical import Json
from quincunx_shared.errors import BadInput
from quincunx_shared.hints import did_you_mean
from quincunx_shared.strict_json import read_json

#: No honest number is longer.
_WHOLE_NUMBER = re.compile(r"[-+]?[0-9]{1,18}")
_DECIMAL_NUMBER = re.compile(r"[-+]?(?:[0-9]{1,18}\.?[0-9]{0,18}|\.[0-9]{1,18})(?:[eE][-+]?[0-9]{1,2})?")

_WHOLE = frozenset({"ticks"})
_DECIMAL = frozenset({"bpm", "db", "pan"})
_SWITCH: Mapping[str, bool] = {"on": True, "off": False, "true": True, "false": False}


def request_of(text: str, place: int) -> Request:
    """Return one operation of the command line; `place` counts from 1, for errors."""
    where = f"operation {place} ({text[:60]})"
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise BadInput(f"the quotes do not match: {error}", where=where) from error
    verb = words[0] if words else ""
    if verb not in REQUESTS:
        raise BadInput(f"there is no operation {verb!r}{did_you_mean(verb, REQUESTS)}", where=where)
    members = _members(verb, words[1:], where)
    document = json.dumps({"operations": [{"op": verb, **members}]})
    return _validated(document, lambda path: f"{where}: {path}" if path else where)[0]


def batch_of(raw: bytes, name: str) -> tuple[Request, ...]:
    """Return the operations of a batch file. Raises `BadInput` with the field."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput("this is not text in UTF-8", where=name) from error
    read_json(text, where=name)
    return _validated(text, lambda path: f"{name}: {path}", keep_whole=True)


def usage(verb: str) -> str:
    """Return the words of an operation."""
    return " ".join([verb, *(name.upper() for name in _names(verb))])


def _names(verb: str) -> list[str]:
    return [one.name for one in fields(REQUESTS[verb]) if one.name != "op"]


def _members(verb: str, words: Sequence[str], where: str) -> dict[str, Json]:
    declared = [one for one in fields(REQUESTS[verb]) if one.name != "op"]
    members: dict[str, Json] = {}
    left = list(words)
    for one in declared:
        if one.name == "points":
            members["points"] = [_pair(word, where) for word in left]
            left = []
        elif one.name == "options":
            members["options"] = dict(_option(word, where) for word in left)
            left = []
        elif left:
            members[one.name] = _word(one.name, left.pop(0), verb, where)
        elif one.default is MISSING:
            raise BadInput(f"{one.name} is missing", where=where, remedy=f"write: {usage(verb)}")
    if left:
        raise BadInput(f"{left[0]!r} is too much", where=where, remedy=f"write: {usage(verb)}")
    return members


def _word(name: str, word: str, verb: str, where: str) -> Json:
    if name in _WHOLE or name in _DECIMAL:
        number = _number(word)
        if number is None or (name in _WHOLE and not isinstance(number, int)):
            raise BadInput(f"{name} is {word!r}, and must be a {'whole ' if name in _WHOLE else ''}number", where=where)
        return number
    if name == "mute":
        if word.lower() not in _SWITCH:
            raise BadInput(f"mute is {word!r}, and must be on or off", where=where)
        return _SWITCH[word.lower()]
    if name == "value" and verb == "option":
        return _json(word)
    if name in ("value", "user"):
        return _value(word, where)
    return word


def _value(word: str, where: str) -> Json:
    """A number, a file, `WAY:POSITION=VALUE,…` for a curve, or JSON."""
    number = _number(word)
    if number is not None:
        return number
    if word.lower().endswith((".npy", ".npz", ".csv")):
        return {"file": word}
    way, colon, points = word.partition(":")
    if colon and way.replace("_", "").isalpha():
        pairs: list[Json] = [_pair(one, where) for one in points.split(",") if one]
        return {"curve": {"points": pairs, "interpolation": way}}
    if word[:1] in "[{":
        found = read_json(word, where=where)
        is_row = isinstance(found, list) and all(isinstance(one, int | float) for one in found)
        return found if is_row else {"value": found}
    remedy = "a number, a .npy, .npz or .csv file, or a curve such as linear:0=0,1.5=30"
    raise BadInput(f"{word[:60]!r} is no value", where=where, remedy=remedy)


def _pair(word: str, where: str) -> list[Json]:
    left, equals, right = word.partition("=")
    position, value = _number(left), _number(right)
    if not equals or position is None or value is None:
        raise BadInput(f"{word[:40]!r} is no point", where=where, remedy="write POSITION=VALUE, such as 480=30")
    return [position, value]


def _option(word: str, where: str) -> tuple[str, Json]:
    name, equals, value = word.partition("=")
    if not equals:
        raise BadInput(f"{word[:40]!r} is no option", where=where, remedy="write OPTION=VALUE")
    return name, _json(value)


def _json(word: str) -> Json:
    """Return a word as JSON means it, else as text."""
    try:
        return read_json(word, where="value")
    except BadInput:
        return word


def _number(word: str) -> int | float | None:
    if _WHOLE_NUMBER.fullmatch(word):
        return int(word)
    return float(word) if _DECIMAL_NUMBER.fullmatch(word) else None


def _validated(document: str, place: Callable[[str], str], *, keep_whole: bool = False) -> tuple[Request, ...]:
    try:
        return batch_adapter().validate_json(document, strict=True, extra="forbid").operations
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        # After the place of an operation stands its word, which is no field.
        path = [*first["loc"][:2], *first["loc"][3:]]
        steps = path if keep_whole else path[2:]
        text = "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in steps).removeprefix(".")
        raise BadInput(first["msg"], where=place(text)) from error
