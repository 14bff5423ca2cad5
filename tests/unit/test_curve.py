"""Curves: what holds for every interpolation, and what each one promises of its own."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quincunx_shared.curve import INTERPOLATIONS, Curve, CurvePoint, curve_from_payload, sample_drawn
from quincunx_shared.errors import BadInput
from quincunx_shared.phrase import DrawnCurve

VALUES = st.floats(-1e6, 1e6, width=32)
POSITIONS = st.floats(-100, 1100)
HANDLES = st.none() | st.tuples(st.floats(-200, 200), VALUES)
KINDS = st.sampled_from(sorted(INTERPOLATIONS))
TOUCHING = sorted(set(INTERPOLATIONS) - {"step", "hold"})


@st.composite
def curves(draw: st.DrawFn, *, jumps: bool = True) -> Curve:
    """Draw a curve of up to eight points on whole positions, with up to two on one of them."""
    positions = sorted(draw(st.lists(st.integers(0, 1000), max_size=8, unique=not jumps)))
    points = tuple(CurvePoint(float(one), draw(VALUES), draw(HANDLES), draw(HANDLES)) for one in positions)
    return Curve(points, draw(KINDS), draw(st.floats(0, 1)))


@given(curves())
def test_a_curve_survives_its_payload(curve: Curve) -> None:
    assert curve_from_payload(json.loads(json.dumps(curve.to_payload()))) == curve


@given(curves(), st.lists(POSITIONS, max_size=10))
def test_each_sample_depends_on_its_own_position_alone(curve: Curve, positions: list[float]) -> None:
    together = curve.sample(positions)
    assert together.dtype == np.float32
    assert together.tolist() == [float(curve.sample(one)) for one in positions]


@given(curves())
def test_a_curve_goes_through_its_points(curve: Curve) -> None:
    """Where two points share a position, it has the left one's value there and the right one's just behind."""
    seen: set[float] = set()
    for point in curve.points:
        if point.position not in seen:
            assert curve.sample(point.position) == pytest.approx(np.float32(point.value), rel=1e-6, abs=1e-6)
        seen.add(point.position)
    for before, after in pairwise(curve.points):
        if before.position == after.position and curve.interpolation in ("step", "hold"):
            last = [one for one in curve.points if one.position == after.position][-1]
            assert curve.sample(np.nextafter(after.position, np.inf)) == np.float32(last.value)


@given(curves().filter(lambda curve: bool(curve.points)), st.floats(0.001, 1e6))
def test_outside_its_points_a_curve_keeps_the_nearest_value(curve: Curve, distance: float) -> None:
    first, last = curve.points[0], curve.points[-1]
    assert curve.sample(first.position - distance) == np.float32(first.value)
    assert curve.sample(last.position + distance) == np.float32(last.value)


@given(curves(), st.integers(-5000, 5000), st.lists(st.integers(-100, 1100), max_size=10))
def test_a_curve_moved_has_its_values_there(curve: Curve, by: int, positions: list[int]) -> None:
    points = tuple(CurvePoint(one.position + by, one.value, one.handle_left, one.handle_right) for one in curve.points)
    moved = Curve(points, curve.interpolation, curve.tension)
    np.testing.assert_array_equal(moved.sample(np.add(positions, by)), curve.sample(positions))


@pytest.mark.parametrize("kind", TOUCHING)
def test_a_straight_line_stays_straight(kind: str) -> None:
    """At uneven points too, where slopes counted per point instead of per position would buckle."""
    xs = (0.0, 10.0, 40.0, 45.0, 100.0)
    along = {"handle_left": (-1.0, -2.0), "handle_right": (1.0, 2.0)}
    points = tuple(CurvePoint(x, 2 * x, **(along if kind == "bezier" else {})) for x in xs)
    inside = np.linspace(10, 45, 36)
    np.testing.assert_allclose(Curve(points, kind).sample(inside), 2 * inside, rtol=1e-6)


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=6, unique=True), st.data())
def test_without_handles_bezier_never_leaves_the_range_of_its_points(xs: list[int], data: st.DataObject) -> None:
    points = tuple(CurvePoint(float(x), data.draw(VALUES)) for x in sorted(xs))
    sampled = Curve(points, "bezier").sample(np.linspace(0, 1000, 200)).astype(float)
    low, high = min(one.value for one in points), max(one.value for one in points)
    assert sampled.min() >= low - 1e-6 * abs(low)
    assert sampled.max() <= high + 1e-6 * abs(high)


@given(HANDLES, HANDLES)
def test_a_bezier_has_one_value_everywhere_whatever_its_handles(left: Any, right: Any) -> None:
    """Checked against the definition: walk t, and the curve at x(t) is y(t)."""
    (dx0, dy0), (dx1, dy1) = right or (100.0, 0.0), left or (-100.0, 0.0)
    x1, x2 = min(max(dx0, 0.0), 300.0), 300.0 + min(max(dx1, -300.0), 0.0)
    t = np.linspace(0, 1, 50)
    basis = np.stack([(1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3])
    x, y = np.array([0, x1, x2, 300]) @ basis, np.array([0, dy0, 1 + dy1, 1]) @ basis

    curve = Curve((CurvePoint(0, 0, None, right), CurvePoint(300, 1, left, None)), "bezier")
    scale = 1 + max(abs(dy0), abs(dy1))
    steep = np.abs(np.gradient(t, x + np.arange(50) * 1e-9)) > 0.1
    np.testing.assert_allclose(curve.sample(x)[~steep], y[~steep], rtol=0, atol=1e-5 * scale)


@given(curves(jumps=False), POSITIONS)
def test_step_has_no_value_but_those_of_its_points(curve: Curve, position: float) -> None:
    sampled = float(Curve(curve.points, "step").sample(position))
    reached = [np.float32(one.value) for one in curve.points if one.position <= position]
    assert sampled == (reached[-1] if reached else np.float32(curve.points[0].value) if curve.points else 0)


@given(st.lists(st.integers(0, 100), min_size=1, max_size=6, unique=True), st.data())
def test_a_drawn_curve_is_linear_inside_and_its_default_outside(xs: list[int], data: st.DataObject) -> None:
    ticks = sorted(xs)
    values = [data.draw(st.floats(-1000, 1000)) for _ in ticks]
    asked = np.arange(-5, 106, 0.5)
    sampled = sample_drawn(DrawnCurve(tuple(ticks), tuple(values), -7.0), asked)

    np.testing.assert_allclose(sampled, np.interp(asked, ticks, values, left=-7.0, right=-7.0), atol=1e-9)
    assert sampled[np.searchsorted(asked, ticks)].tolist() == values


def test_a_flat_drawn_line_has_exactly_its_value() -> None:
    """The lowest dynamics are silence; a rounding error above them is a sound."""
    sampled = sample_drawn(DrawnCurve((0, 7, 13), (-240.1, -240.1, -240.1)), np.linspace(0, 13, 1000))
    assert set(sampled.tolist()) == {-240.1}


@pytest.mark.parametrize(
    ("points", "kind", "what"),
    [
        pytest.param([(10, 0), (5, 0)], "linear", "the point at 5 comes after 10", id="points out of order"),
        pytest.param([(0, float("nan"))], "linear", "not a finite number", id="no number"),
        pytest.param([], "linaer", "'linaer'.*linear", id="an unknown interpolation"),
    ],
)
def test_what_is_wrong_with_a_curve_is_said(points: list[tuple[float, float]], kind: str, what: str) -> None:
    with pytest.raises(BadInput, match=what):
        Curve(tuple(CurvePoint(*one) for one in points), kind)


@pytest.mark.parametrize(
    "payload", [None, 5, [], {}, {"points": [1]}, {"points": [[0, 1, [2]]]}, {"points": [["a", 1]]}]
)
def test_what_is_no_curve_is_refused_with_an_example(payload: Any) -> None:
    with pytest.raises(BadInput, match=r'write \{"points"'):
        curve_from_payload(payload)


def test_a_person_may_leave_out_what_has_a_default() -> None:
    assert curve_from_payload({"points": [[0, 1], [10, 2]]}) == Curve((CurvePoint(0, 1), CurvePoint(10, 2)))
