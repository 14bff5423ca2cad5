"""Envelopes: what was sealed comes out, and whatever was touched is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quincunx_shared.farm.envelope import TTL_SECONDS, BadEnvelope, open_sealed, seal

KEY, OTHER = b"k" * 32, b"o" * 32
texts = st.text(max_size=20)
fields = st.dictionaries(texts, st.none() | st.integers() | texts | st.lists(texts, max_size=3), max_size=4)


@given(fields)
def test_what_was_sealed_comes_out(told: dict[str, Any]) -> None:
    assert open_sealed(seal("run", told, KEY, 5.0), "run", KEY, 6.0) == told


def test_while_keys_change_both_are_good() -> None:
    assert open_sealed(seal("run", {"a": 1}, OTHER, 5.0), "run", [KEY, OTHER], 6.0) == {"a": 1}


def test_no_two_envelopes_are_the_same() -> None:
    assert seal("run", {}, KEY, 5.0) != seal("run", {}, KEY, 5.0)


@pytest.mark.parametrize(
    ("kind", "key", "now", "why"),
    [
        ("advance", KEY, 6.0, "is for run and came to advance"),
        ("run", OTHER, 6.0, "not sealed with this farm's key"),
        ("run", KEY, 5.0 + TTL_SECONDS + 1, "expired 1 s ago"),
    ],
)
def test_another_kind_key_or_time_is_refused(kind: str, key: bytes, now: float, why: str) -> None:
    with pytest.raises(BadEnvelope, match=why):
        open_sealed(seal("run", {}, KEY, 5.0), kind, key, now)


@given(st.data())
def test_a_changed_envelope_is_refused(data: st.DataObject) -> None:
    text = seal("run", {"bundles": ["1/s/mix"]}, KEY, 5.0)
    place = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.characters().filter(lambda one: one != text[place]))
    with pytest.raises(BadEnvelope):
        open_sealed(text[:place] + letter + text[place + 1 :], "run", KEY, 6.0)


@given(
    st.none() | st.integers() | texts | st.binary(max_size=9) | st.lists(texts) | texts.map(lambda one: f"qx1 {one}")
)
def test_anything_else_is_refused(anything: object) -> None:
    with pytest.raises(BadEnvelope):
        open_sealed(anything, "run", KEY, 6.0)


def test_the_refusal_does_not_repeat_what_came() -> None:
    with pytest.raises(BadEnvelope) as refused:
        open_sealed("qx1 aa " + json.dumps({"secret": "canary"}), "run", KEY, 6.0)
    assert "canary" not in str(refused.value)
