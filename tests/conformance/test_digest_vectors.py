"""The vectors of digest.json: the canonical text of values, and payloads by content."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from tests.conformance import vectors
from tests.conformance.running import shown
from tests.conformance.vectors import named

from quincunx_shared.canonical import canonical_bytes, digest_of
from quincunx_shared.errors import BadInput
from quincunx_shared.payload import decode, encode

VECTORS = vectors.load("digest")


@pytest.mark.parametrize("vector", named(VECTORS, "texts"))
def test_a_value_has_this_text_and_digest(vector: Any) -> None:
    assert canonical_bytes(vector["value"]).decode() == vector["text"]
    assert digest_of(vector["value"]) == vector["sha256"]


@pytest.mark.parametrize("vector", named(VECTORS, "differ"))
def test_these_values_all_differ(vector: Any) -> None:
    assert all(digest_of(one) != digest_of(other) for one, other in combinations(vector["values"], 2))


@pytest.mark.parametrize("vector", named(VECTORS, "refused"))
def test_what_is_no_number_has_no_text(vector: Any) -> None:
    with pytest.raises(BadInput):
        canonical_bytes([float(vector["number"])])


@pytest.mark.parametrize("vector", named(VECTORS, "payloads"))
def test_a_payload_is_named_by_its_content(vector: Any) -> None:
    encoded = vectors.encoded(vector["value"])

    assert encoded.ref.kind == vector["kind"]
    assert encoded.ref.digest == vector["sha256"]
    assert encoded.ref.size_bytes == vector["size"] == len(encoded.content)
    assert (encoded.ref.inline == encoded.content) == vector["inline"]
    assert list(encoded.ref.shape) == vector.get("shape", [])
    assert encoded.ref.dtype == vector.get("dtype", "")


@pytest.mark.parametrize("vector", named(VECTORS, "payloads"))
def test_a_payload_comes_back_as_it_was(vector: Any) -> None:
    payload = vectors.payload(vector["value"])
    encoded = encode(payload)
    back = decode(encoded.ref, encoded.content)
    if isinstance(payload, np.ndarray):
        assert back.tolist() == payload.tolist()
        assert back.shape == payload.shape
        assert not back.flags.writeable
    else:
        assert shown(back) == shown(payload)


@pytest.mark.parametrize("vector", named(VECTORS, "identity"))
def test_these_payloads_are_two(vector: Any) -> None:
    left, right = (vectors.encoded(vector[side]).ref for side in ("left", "right"))
    assert left.identity() != right.identity()
