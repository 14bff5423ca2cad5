"""What crosses the border between a worker and an isolated step arrives as it was sent, or not at all."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from quincunx_shared.errors import BadInput
from quincunx_workers.isolated_wire import Wire

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
ARRAYS = arrays.arrays(
    st.sampled_from([np.float32, np.float64, np.int64, np.bool_]), arrays.array_shapes(min_dims=0, min_side=0)
)
PAYLOADS = st.recursive(
    SCALARS | ARRAYS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
)


def across(message: dict[str, Any], limit: int = 1_000_000) -> dict[str, Any]:
    wire = io.BytesIO()
    Wire(wire, wire, limit).send(message)
    wire.seek(0)
    return Wire(wire, wire, limit).receive()


def same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        return isinstance(other, np.ndarray) and one.dtype == other.dtype and np.array_equal(one, other, equal_nan=True)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    return type(one) is type(other) and bool(one == other)


@given(st.dictionaries(st.text(), PAYLOADS))
def test_a_message_arrives_as_it_was_sent(message: dict[str, Any]) -> None:
    assert same(message, across(message))


@given(st.binary(max_size=200))
def test_garbage_is_no_message(garbage: bytes) -> None:
    reading = io.BytesIO(garbage)
    with pytest.raises((EOFError, ValueError)):
        Wire(reading, io.BytesIO(), 100_000).receive()


def test_what_is_larger_than_the_limit_is_not_read() -> None:
    with pytest.raises(ValueError, match="a message of 2000 bytes"):
        across({"audio": np.zeros(500, np.float32)}, limit=1000)


def test_nothing_is_sent_of_what_cannot_be_sent() -> None:
    wire = io.BytesIO()
    with pytest.raises(BadInput):
        Wire(wire, wire, 1000).send({"audio": np.array([object()])})
    assert wire.getvalue() == b""
