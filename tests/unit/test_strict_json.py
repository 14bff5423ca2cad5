"""JSON that readers of the field take for something else is refused, with its place, and fast."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quincunx_shared.errors import BadInput
from quincunx_shared.strict_json import DEPTH_LIMIT, read_json

_SCALARS = st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
_VALUES = st.recursive(
    _SCALARS | st.text(), lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
)


@given(_VALUES)
def test_what_json_writes_is_read_back(value: Any) -> None:
    assert read_json(json.dumps(value), where="x") == value


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('[{"a": 1, "a": 2}]', "x: [0].a"),
        ('{"a": {"b": [1, NaN]}}', "x: a.b[1]"),
        ('{"a": -Infinity}', "x: a"),
        ('[[1, 1e999]]', "x: [0][1]"),
        ('{"a": ' + "9" * 6000 + "}", "x: a"),
        ('{"a": NaN, "a": 1}', "x: a"),
        ("NaN", "x"),
        ('{"a": 1,\n "b": }', "x:2"),
        ("", "x:1"),
        ('["\\ud800"]', "x"),
        ("[" * 3000 + "]" * 3000, "x:1"),
        ('{"a":' * 3000 + "1" + "}" * 3000, "x:1"),
    ],
)  # fmt: skip
def test_what_could_surprise_is_refused_with_its_place(text: str, place: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_json(text, where="x")
    assert caught.value.where == place


def test_brackets_in_texts_do_not_nest() -> None:
    text = "[" * 3000 + '\\"{'
    assert read_json(json.dumps({text: text}), where="x") == {text: text}


def test_nesting_up_to_the_limit_is_read() -> None:
    assert read_json("[" * DEPTH_LIMIT + "]" * DEPTH_LIMIT, where="x") is not None
    with pytest.raises(BadInput, match="nest"):
        read_json("[" * (DEPTH_LIMIT + 1) + "]" * (DEPTH_LIMIT + 1), where="x")


def test_a_text_that_never_ends_is_refused_in_no_time() -> None:
    began = time.process_time()
    with pytest.raises(BadInput):
        read_json('["' + '\\"' * 500_000, where="x")
    assert time.process_time() - began < 2


@given(st.text(alphabet='[]{}",:0123456789.eE+-\\ \nnulltruefsaN', max_size=200))
def test_no_text_does_anything_but_be_read_or_refused(text: str) -> None:
    with suppress(BadInput):
        read_json(text, where="x")
