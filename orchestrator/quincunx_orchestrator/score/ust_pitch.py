"""The pitch of one UTAU note in mode 2: PBS, PBW, PBY, PBM and VBR as pitch points and a vibrato.

PBS  where the line begins: ms from the note's start; tenths of a semitone
PBW  the way in ms from each point to the next      PBY  the height of each, tenths of a semitone; the last is 0
PBM  the shape of each way: nothing in-out, s straight, r fast first, j slow first
VBR  length %, period ms, depth cents, fade-in %, fade-out %, phase %, height %
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from quincunx_orchestrator.score.ust_file import Section
from quincunx_shared.phrase import PitchPoint, PointShape, Vibrato

_Value = TypeVar("_Value")

_SHAPES: dict[str, PointShape] = {"": "io", "s": "l", "r": "o", "j": "i"}

#: Wider than any song, as in OpenUTAU projects.
_WIDEST_MS = 1e7
_HIGHEST_TENTHS = 2400.0


def pitch_points(note: Section) -> tuple[PitchPoint, ...]:
    """Return the pitch points of a note, ascending; none if it has no line of its own."""
    if not note.text("PBS").strip() and not note.text("PBW").strip():
        return ()
    start = note.text("PBS").strip().replace(",", ";").split(";")
    ms = note.parsed("PBS", start[0].strip() or "0", -_WIDEST_MS, _WIDEST_MS)
    height = note.parsed("PBS", (start[1] if len(start) > 1 else "").strip() or "0", -_HIGHEST_TENTHS, _HIGHEST_TENTHS)
    ways = note.numbers("PBW", 0, _WIDEST_MS)
    heights = note.numbers("PBY", -_HIGHEST_TENTHS, _HIGHEST_TENTHS)
    shapes = [_SHAPES.get(one.strip().lower(), "io") for one in note.text("PBM").split(",")]
    points = [PitchPoint(ms, 10.0 * height, _at(shapes, 0, "io"))]
    for number, way in enumerate(ways):
        ms += way
        last = number == len(ways) - 1
        points.append(PitchPoint(ms, 0.0 if last else 10.0 * _at(heights, number, 0.0), _at(shapes, number + 1, "io")))
    return tuple(points)


def vibrato(note: Section) -> Vibrato | None:
    """Return the vibrato of a note, moved into the ranges of OpenUTAU; None if it has none."""
    written = note.numbers("VBR", -1e6, 1e6)
    length, period, depth, fade_in, fade_out, phase, height = (*written[:7], *[0.0] * (7 - len(written[:7])))
    if length <= 0 or len(written) < 3:
        return None
    fade_out = _between(fade_out, 0, 100)
    return Vibrato(
        length=_between(length, 0, 100),
        period_ms=_between(period, 5, 500),
        depth_cents=_between(depth, 5, 200),
        fade_in=min(_between(fade_in, 0, 100), 100 - fade_out),
        fade_out=fade_out,
        shift=_between(phase, 0, 100),
        drift=_between(height, -100, 100),
    )


def _between(value: float, low: float, high: float) -> float:
    return min(max(value, float(low)), float(high))


def _at(values: Sequence[_Value], place: int, default: _Value) -> _Value:
    return values[place] if place < len(values) else default
