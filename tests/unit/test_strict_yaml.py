"""What a YAML file may hold, and what it says when it may not."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quincunx_shared.errors import BadInput
from quincunx_shared.strict_yaml import line_of, read_yaml


def test_every_scalar_stays_the_text_that_was_written() -> None:
    text = "lyric: no\ntime: 1:30\nnumber: 0.60\nempty:\nlist: [on, ~, {a: 1e3}]\n"

    assert read_yaml(text.encode(), where="f") == {
        "lyric": "no",
        "time": "1:30",
        "number": "0.60",
        "empty": "",
        "list": ["on", "~", {"a": "1e3"}],
    }


def test_a_byte_order_mark_and_an_empty_file_are_read() -> None:
    assert read_yaml(b"\xef\xbb\xbfa: 1", where="f") == {"a": "1"}
    assert read_yaml(b"", where="f") == {}


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        (b"a: 1\nb: {c: 1, c: 2}", "f:2", "'c' stands here twice"),
        (b'"\\0": 1\n"\\0": 2', "f:2", "stands here twice"),
        (b"a: &x 1\nb: *x", "f:1", "anchors"),
        (b"b: *x", "f:1", "anchors"),
        (b"a: !!python/object:os.system x", "f:1", "tag"),
        (b"a:\n- !x {}", "f:2", "tag"),
        (b"a:\n- ! x", "f:2", "tag"),
        (b"? [a]\n: b", "f:1", "plain text"),
        (b"a: 1\n---\nb: 2", "f:3", "second document"),
        (b"a: [b", "f:2", "broken YAML"),
        (b"a: \xff", "f", "not YAML in UTF-8"),
        (b"a: \x00", "f", "broken YAML"),
    ],
)
def test_what_could_surprise_is_refused_with_its_line(text: bytes, place: str, what: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_yaml(text, where="f")

    assert refused.value.where.startswith(place)
    assert what in refused.value.what


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 1),
        (("a",), 1),
        (("b", 1), 3),
        (("b", 1, "c"), 4),
        (("b", 1, "missing", 5), 3),
        (("b", 7), 2),
        (("a", "deeper"), 1),
    ],
)
def test_a_value_is_found_by_its_path(path: tuple[str | int, ...], line: int) -> None:
    assert line_of(b"a: 1\nb: [x,\n  {d: 2,\n   c: 3}]\n", path) == line


def test_an_empty_file_has_one_line() -> None:
    assert line_of(b"", ("a",)) == 1


@pytest.mark.parametrize("text", [b"[" * 3000, b"[" * 100_000, b"- " * 100_000, b"{a: " * 3000])
def test_no_nesting_exhausts_the_reader(text: bytes) -> None:
    with pytest.raises(BadInput):
        read_yaml(text, where="f")


@given(st.binary(max_size=60) | st.text(alphabet="ab:-[]{}&*!|>'\"#?, \n\t", max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with contextlib.suppress(BadInput):
        read_yaml(content, where="f")
