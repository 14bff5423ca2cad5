"""The vectors of signature.json: pre-images byte by byte, and what does and does not enter them."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from tests.conformance import vectors
from tests.conformance.vectors import named

from quincunx_orchestrator.core.binding import bind_song
from quincunx_orchestrator.core.compiler import Compiler
from quincunx_shared.names import Signature
from quincunx_shared.signature import call_signature, stamp_of

VECTORS = vectors.load("signature")
STEPS = VECTORS["steps"]


def signature_of(told: Any, step: str) -> Signature:
    segment = vectors.segment(told, STEPS)
    compiler = Compiler(vectors.manifests(STEPS), told.get("numeric_class", ""))
    song = bind_song([segment], compiler, operators=vectors.OPERATORS)
    assert not song.errors()
    return song.step(segment.id, step).signature


@pytest.mark.parametrize("vector", named(VECTORS, "preimages"))
def test_a_recipe_has_this_name(vector: Any) -> None:
    assert hashlib.sha256(vector["preimage"].encode()).hexdigest() == vector["sha256"]
    assert signature_of(vector, vector["step"]) == vector["sha256"]


@pytest.mark.parametrize("vector", named(VECTORS, "pairs"))
def test_two_recipes_have_one_name_when_they_are_one_computation(vector: Any) -> None:
    left, right = (signature_of(vector[side], vector["step"]) for side in ("left", "right"))
    assert (left == right) == vector["same"]


@pytest.mark.parametrize("vector", named(VECTORS, "calls"))
def test_a_call_has_this_name(vector: Any) -> None:
    manifest = vectors.manifest(vector["step"], STEPS[vector["step"]])
    stamp = stamp_of(manifest, vector["options"], "")
    inputs = [(port, [vectors.encoded(one).ref for one in values]) for port, values in vector["inputs"].items()]
    assert call_signature(stamp, inputs) == vector["sha256"]
