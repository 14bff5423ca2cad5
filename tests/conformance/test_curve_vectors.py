"""The vectors of curve.json: points are `[position, value, left handle, right handle]`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quincunx_shared.curve import curve_from_payload, sample_drawn
from quincunx_shared.errors import BadInput
from quincunx_shared.phrase import DrawnCurve

VECTORS = json.loads(Path(__file__).with_name("curve.json").read_text(encoding="utf-8"))


def named(kind: str) -> list[Any]:
    return [pytest.param(vector, id=vector["says"]) for vector in VECTORS[kind]]


@pytest.mark.parametrize("vector", named("samples"))
def test_a_curve_has_these_values(vector: Any) -> None:
    payload = {"points": vector["points"], "interpolation": vector["interpolation"]}
    curve = curve_from_payload({**payload, "tension": vector.get("tension", 0.0)})
    positions, expected = [float(one) for one in vector["expect"]], list(vector["expect"].values())

    sampled = curve.sample(positions)
    assert sampled.dtype == np.float32
    np.testing.assert_allclose(sampled, expected, rtol=0, atol=vector["tolerance"])


@pytest.mark.parametrize("vector", named("refused"))
def test_what_is_no_curve_is_refused(vector: Any) -> None:
    with pytest.raises(BadInput):
        curve_from_payload(vector["payload"])


@pytest.mark.parametrize("vector", named("drawn"))
def test_a_drawn_curve_has_these_values(vector: Any) -> None:
    curve = DrawnCurve(tuple(vector["ticks"]), tuple(vector["values"]), vector["default"])
    positions, expected = [float(one) for one in vector["expect"]], list(vector["expect"].values())
    np.testing.assert_allclose(sample_drawn(curve, positions), expected, rtol=1e-15)
