"""Curves: control points and the way between them.

    position   of a point and of a sample, in whatever unit the consumer's grid has: ticks, or seconds from the anchor
    empty      0 everywhere; one point: constant; outside the points: the nearest one's value
    doubled    two points at one position are a jump: the left value up to and including it, the right one after

The points are what a person made; float32 samples are only a cache of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from quincunx_shared.canonical import Json
from quincunx_shared.errors import BadInput
from quincunx_shared.hints import did_you_mean
from quincunx_shared.phrase import DrawnCurve

Floats: TypeAlias = npt.NDArray[np.float64]
Mask: TypeAlias = npt.NDArray[np.bool_]
Number: TypeAlias = float | Floats

#: A Bézier handle: how far it lies from its point in position and value.
Handle: TypeAlias = tuple[float, float]

#: Halvings of t until x(t) is met: 2⁻⁴⁸ of a segment is far below float32.
HALVINGS = 48


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A control point. Handles count only for Bézier; without one the way is horizontal for a third of the segment."""

    position: float
    value: float
    handle_left: Handle | None = None
    handle_right: Handle | None = None


#: Points of a piece without jumps (at least two), positions within it, tension → the value at each position.
#: Installed packages may offer more. Signatures hold the name alone: a way that changes needs a new name.
Interpolation: TypeAlias = Callable[[tuple[CurvePoint, ...], Floats, float], Floats]


@dataclass(frozen=True, slots=True)
class Curve:
    """Control points in ascending order, and how to go from one to the next: a key of `ways`.

    `tension` is Catmull-Rom's: 0 is the usual curve, 1 comes to rest at every point. Raises `BadInput` for points out
    of order, numbers that are not finite, and unknown interpolations.
    """

    points: tuple[CurvePoint, ...] = ()
    interpolation: str = "linear"
    tension: float = 0.0
    ways: Mapping[str, Interpolation] = field(default_factory=lambda: INTERPOLATIONS, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.interpolation not in self.ways:
            hint = did_you_mean(self.interpolation, self.ways)
            raise BadInput(f"unknown interpolation {self.interpolation!r}{hint}", where="curve")
        if not all(map(math.isfinite, (self.tension, *_numbers(self.points)))):
            raise BadInput("a point or the tension is not a finite number", where="curve")
        for before, after in pairwise(self.points):
            if after.position < before.position:
                raise BadInput(f"the point at {after.position:g} comes after {before.position:g}", where="curve")

    def sample(self, positions: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Return the curve at each position: float32, in the shape of `positions`."""
        positions = np.asarray(positions, dtype=np.float64)
        sampled = np.zeros(positions.shape)
        for piece, place in _pieces(self.points, positions):
            within = np.clip(positions[place], piece[0].position, piece[-1].position)
            sampled[place] = self._between(piece, within) if len(piece) > 1 else piece[0].value
        return sampled.astype(np.float32)

    def _between(self, piece: tuple[CurvePoint, ...], positions: Floats) -> Floats:
        """Ask the interpolation, which may be other people's code: what it raises or returns wrong names it."""
        try:
            values = np.asarray(self.ways[self.interpolation](piece, positions, self.tension), dtype=np.float64)
        except Exception as error:
            what = f"interpolation {self.interpolation!r} raised {type(error).__name__}: {error}"
            raise BadInput(what, where="curve") from error
        if values.shape != positions.shape or not np.isfinite(values).all():
            what = f"interpolation {self.interpolation!r} must give one finite number for each position"
            raise BadInput(what, where="curve")
        return values

    def to_payload(self) -> Json:
        points: list[Json] = [
            [one.position, one.value, _handle_payload(one.handle_left), _handle_payload(one.handle_right)]
            for one in self.points
        ]
        return {"points": points, "interpolation": self.interpolation, "tension": self.tension}


def curve_from_payload(payload: Any, ways: Mapping[str, Interpolation] | None = None) -> Curve:
    """Read a curve as `Curve.to_payload` wrote it; handles, interpolation (linear) and tension (0) may be left out.

    `ways` are the interpolations there are; without them, the built-in ones.
    """
    try:
        points = tuple(_point(*one) for one in payload["points"])
        way, tension = payload.get("interpolation", "linear"), float(payload.get("tension", 0.0))
        curve = Curve(points, way, tension, INTERPOLATIONS if ways is None else ways)
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        remedy = 'write {"points": [[position, value], …], "interpolation": "linear"}'
        raise BadInput(f"this is not a curve: {error}", where="curve", remedy=remedy) from error
    return curve


def sample_drawn(curve: DrawnCurve, ticks: npt.ArrayLike) -> Floats:
    """Return a drawn curve at each tick, linear between its points and its default outside them: float64.

    At two points on one tick it has the left value up to and including the tick, the right one after.
    """
    ticks = np.asarray(ticks, dtype=np.float64)
    if not curve.ticks:
        return np.full(ticks.shape, curve.default, dtype=np.float64)
    xs, ys = np.array(curve.ticks, dtype=np.float64), np.array(curve.values, dtype=np.float64)
    inside = (ticks >= xs[0]) & (ticks <= xs[-1])
    return np.where(inside, _along_lines(xs, ys, ticks), curve.default)


def _pieces(points: tuple[CurvePoint, ...], positions: Floats) -> Iterator[tuple[tuple[CurvePoint, ...], Mask]]:
    """Split the curve at its jumps; yield each piece with a mask of the positions that belong to it."""
    jumps = [place for place in range(1, len(points)) if points[place].position == points[place - 1].position]
    owner = np.searchsorted([points[place].position for place in jumps], positions, side="left")
    for number, (start, end) in enumerate(pairwise((0, *jumps, len(points)))):
        if start < end:
            yield points[start:end], owner == number


def _hold(points: tuple[CurvePoint, ...], positions: Floats, _tension: float) -> Floats:
    """Return the value of the last point at or before each position."""
    xs, ys = _coordinates(points)
    return ys[np.searchsorted(xs, positions, side="right") - 1]


def _linear(points: tuple[CurvePoint, ...], positions: Floats, _tension: float) -> Floats:
    """Return straight lines between the points."""
    return _along_lines(*_coordinates(points), positions)


def _bezier(points: tuple[CurvePoint, ...], positions: Floats, _tension: float) -> Floats:
    """Return cubic Béziers through the points.

    Handles are cut to their segment in position, so that x(t) never turns back and every position has one value.
    """
    xs, ys = _coordinates(points)
    thirds = np.diff(xs) / 3
    right = [one.handle_right or (third, 0.0) for one, third in zip(points[:-1], thirds, strict=True)]
    left = [one.handle_left or (-third, 0.0) for one, third in zip(points[1:], thirds, strict=True)]
    (out_x, out_y), (in_x, in_y) = np.transpose(right), np.transpose(left)

    k = _segments(xs, positions)
    width = np.diff(xs)
    first, second = np.clip(out_x / width, 0, 1)[k], np.clip(1 + in_x / width, 0, 1)[k]
    t = _where_x_is((positions - xs[k]) / width[k], first, second)
    return _bernstein(t, ys[k], ys[k] + out_y[k], ys[k + 1] + in_y[k], ys[k + 1])


def _where_x_is(x: Floats, first: Floats, second: Floats) -> Floats:
    """Return t with x(t) = x on Béziers from 0 to 1 whose handles lie at `first` and `second`, by bisection."""
    low, step = np.zeros_like(x), 0.5
    for _ in range(HALVINGS):
        low = np.where(_bernstein(low + step, 0.0, first, second, 1.0) <= x, low + step, low)
        step /= 2
    return np.where(x >= 1, 1.0, low)


def _bernstein(t: Floats, a: Number, b: Number, c: Number, d: Number) -> Floats:
    """Return the cubic Bézier with these ordinates at t."""
    s = 1 - t
    return np.asarray(s * s * s * a + 3 * s * s * t * b + 3 * s * t * t * c + t * t * t * d)


def _catmull_rom(points: tuple[CurvePoint, ...], positions: Floats, tension: float) -> Floats:
    """Return cubic Hermite segments with the slope `(1 − tension)·Δvalue/Δposition` of each point's neighbours.

    The first and the last point have a mirrored neighbour in position, with their own value.
    """
    xs, ys = _coordinates(points)
    around_x = np.concatenate(([2 * xs[0] - xs[1]], xs, [2 * xs[-1] - xs[-2]]))
    around_y = np.concatenate((ys[:1], ys, ys[-1:]))
    slopes = (1 - tension) * (around_y[2:] - around_y[:-2]) / (around_x[2:] - around_x[:-2])

    k = _segments(xs, positions)
    width = np.diff(xs)[k]
    t = (positions - xs[k]) / width
    third = width / 3
    return _bernstein(t, ys[k], ys[k] + slopes[k] * third, ys[k + 1] - slopes[k + 1] * third, ys[k + 1])


#: `step` and `hold` are one thing, and so are `linear` and `drawn`: an editor may treat them differently.
INTERPOLATIONS: Mapping[str, Interpolation] = {
    "step": _hold,
    "hold": _hold,
    "linear": _linear,
    "bezier": _bezier,
    "catmull_rom": _catmull_rom,
    "drawn": _linear,
}


def _along_lines(xs: Floats, ys: Floats, positions: Floats) -> Floats:
    """Return straight lines between points; a line between equal values is exactly that value.

    `np.interp` has the right value at a doubled position, and we need the left one.
    """
    if len(xs) == 1:
        return np.full(positions.shape, ys[0])
    right = np.clip(np.searchsorted(xs, positions, side="left"), 1, len(xs) - 1)
    width = xs[right] - xs[right - 1]
    t = np.divide(positions - xs[right - 1], width, out=np.zeros(positions.shape), where=width > 0)
    rising = ys[right - 1] + (ys[right] - ys[right - 1]) * t
    return np.where(t >= 1, ys[right], rising)


def _segments(xs: Floats, positions: Floats) -> npt.NDArray[np.intp]:
    """Return the number of the segment each position lies in."""
    return np.clip(np.searchsorted(xs, positions, side="right") - 1, 0, len(xs) - 2)


def _coordinates(points: tuple[CurvePoint, ...]) -> tuple[Floats, Floats]:
    return np.array([one.position for one in points], float), np.array([one.value for one in points], float)


def _numbers(points: tuple[CurvePoint, ...]) -> Iterator[float]:
    for one in points:
        yield from (one.position, one.value, *(one.handle_left or ()), *(one.handle_right or ()))


def _point(position: float, value: float, left: Any = None, right: Any = None) -> CurvePoint:
    return CurvePoint(float(position), float(value), _handle(left), _handle(right))


def _handle(payload: Any) -> Handle | None:
    if payload is None:
        return None
    position, value = payload
    return float(position), float(value)


def _handle_payload(handle: Handle | None) -> Json:
    return None if handle is None else list(handle)
