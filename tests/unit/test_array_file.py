"""Arrays from files that strangers made: read, or refused without harm."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quincunx_orchestrator.cli.array_file import unpickled_array


def npy(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def npz(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def lying(shape: str) -> bytes:
    """A header that promises this shape, and four bytes."""
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({shape}), }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + b"1234"


def test_an_array_is_read_plain_and_packed() -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert np.array_equal(unpickled_array(npy(array)), array)
    assert np.array_equal(unpickled_array(npz(first=array, second=array * 2)), array)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"1,2,3",
        b"\x93NUMPY\x01\x00",
        lying("1000000, 1000000, 3"),
        lying("9" * 400 + ","),
        lying("-5,"),
        npz(a=np.zeros(60_000_000, dtype=np.float32)),
        npz(a=np.arange(100))[:-30],
        npz(a=np.arange(1000)).replace(b"PK\x03\x04", b"PK\x03\x05"),
    ],
)
def test_what_is_no_array_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        unpickled_array(raw)


def test_a_pickle_is_never_opened() -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match=r"pickle|shorter"):
        unpickled_array(buffer.getvalue())


@given(st.data())
def test_damage_is_read_or_refused(data: st.DataObject) -> None:
    raw = data.draw(st.sampled_from([npy(np.arange(9.0)), npz(a=np.arange(9.0))]))
    place = data.draw(st.integers(0, len(raw)))
    damaged = raw[:place] + data.draw(st.binary(max_size=9)) + raw[place + data.draw(st.integers(0, 9)) :]
    with contextlib.suppress(ValueError):
        unpickled_array(damaged)
