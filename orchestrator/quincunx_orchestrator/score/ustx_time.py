"""The tempos and time signatures of an OpenUTAU project."""

from __future__ import annotations

from itertools import pairwise

from quincunx_orchestrator.score.fields import Fields
from quincunx_orchestrator.score.model import TimeSignature
from quincunx_shared.tempo import TempoEvent

_BPM = (1.0, 10_000.0)
_BEATS = (1, 1024)
_UNITS = (1, 1024)


def read_tempos(top: Fields, version: tuple[int, ...]) -> tuple[TempoEvent, ...]:
    """Return the tempos; before 0.6 a project has one, at the top, and a list beside it means nothing."""
    found = [] if _is_legacy(top, version, "tempos", "bpm") else list(top.children("tempos"))
    if not found:
        return (TempoEvent(0, top.number("bpm", *_BPM, default=120.0)),)
    _check_ascent(found, "position")
    return tuple(TempoEvent(one.integer("position", 0), one.number("bpm", *_BPM)) for one in found)


def read_time_signatures(top: Fields, version: tuple[int, ...]) -> tuple[TimeSignature, ...]:
    """Return the time signatures; before 0.6 a project has one, at the top."""
    legacy = _is_legacy(top, version, "time_signatures", "beat_per_bar")
    found = [] if legacy else list(top.children("time_signatures"))
    if not found:
        return (TimeSignature(0, *_metre(top, 4)),)
    _check_ascent(found, "bar_position")
    return tuple(TimeSignature(one.integer("bar_position", 0), *_metre(one)) for one in found)


def _metre(fields: Fields, default: int | None = None) -> tuple[int, int]:
    beats = fields.integer("beat_per_bar", *_BEATS, default=default)
    return beats, fields.integer("beat_unit", *_UNITS, default=default)


def _is_legacy(top: Fields, version: tuple[int, ...], plural: str, single: str) -> bool:
    return top.has(single) and (version < (0, 6) or not top.has(plural))


def _check_ascent(events: list[Fields], key: str) -> None:
    """Refuse a list that does not begin at 0 and ascend: which of two events holds would be a guess."""
    if events[0].integer(key, 0) != 0:
        raise events[0].refuse(key, "0 at the first of them")
    for before, after in pairwise(events):
        if after.integer(key, 0) <= (floor := before.integer(key, 0)):
            raise after.refuse(key, f"above {floor}, where the one before it stands")
