"""Operations in one line each, for the log: in the words that the command line reads, long ones cut short."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields

from quincunx_orchestrator.project.requests import CurveValue, FileValue, JsonOf, Request

#: A log is read by people: of more points than these, the rest is counted.
_POINTS = 8
_LONGEST = 160


def said(request: Request) -> str:
    """Return an operation in one line."""
    members = [getattr(request, one.name) for one in fields(request) if one.name != "op"]
    return " ".join([request.op, *(_shown(one) for one in members if one != "" and one != {})])


def _shown(value: object) -> str:
    text = _words(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _words(value: object) -> str:
    match value:
        case bool():
            return "on" if value else "off"
        case str():
            return shlex.quote(value) if " " in value or not value else value
        case int() | float():
            return _number(value)
        case CurveValue():
            return _curve(value.curve)
        case FileValue():
            return _words(value.file)
        case JsonOf():
            return shlex.quote(_json(value.value))
        case Mapping():
            return " ".join(f"{name}={_option(one)}" for name, one in value.items())
        case tuple() if any(isinstance(one, tuple) for one in value):
            return _points(value, " ")
        case _:
            return shlex.quote(_json(value))


def _curve(curve: Mapping[str, object]) -> str:
    """A curve as it is typed; what has more to it than points stays JSON."""
    points = curve.get("points")
    if curve.keys() - {"points", "interpolation"} or not isinstance(points, Sequence) or not all(map(_is_pair, points)):
        return shlex.quote(_json(curve))
    return f"{curve.get('interpolation', 'linear')}:{_points(points, ',')}"


def _is_pair(point: object) -> bool:
    return isinstance(point, Sequence) and len(point) == 2 and all(isinstance(one, int | float) for one in point)


def _points(points: Sequence[Sequence[float]], between: str) -> str:
    told = [f"{_number(position)}={_number(value)}" for position, value in points[:_POINTS]]
    rest = [f"…{len(points) - _POINTS} more"] if len(points) > _POINTS else []
    return between.join([*told, *rest])


def _option(value: object) -> str:
    return _words(value) if isinstance(value, str) else _json(value)


def _number(value: float) -> str:
    return repr(value).removesuffix(".0")


def _json(value: object) -> str:
    return json.dumps(_plain(value), ensure_ascii=False)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [_plain(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
