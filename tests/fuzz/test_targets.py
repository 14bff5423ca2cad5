"""What fuzzing begins from is sound, what it found stays mended, and a little of it runs every time."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fuzz.targets import FOLDER, TARGETS

from quincunx_shared.errors import BadInput

FOUND = sorted((FOLDER / "found").rglob("*-*"))

#: What damage leaves behind.
FRAGMENTS = (b"nan", b"1e999", b"-1", b"[", b"]", b"{", b"}", b"\n", b"- ", b": ", b"\xff", b"\0", b"*a", b'"', b",")


def is_read_or_refused(name: str, content: bytes) -> None:
    begun = time.process_time()
    with contextlib.suppress(BadInput):
        TARGETS[name].read(content)
    assert time.process_time() - begun < 2


@pytest.mark.parametrize("name", TARGETS)
def test_every_target_reads_what_it_begins_from(name: str) -> None:
    assert TARGETS[name].seeds
    for content in TARGETS[name].seeds:
        TARGETS[name].read(content)


def test_what_was_found_stays_mended() -> None:
    for path in FOUND:
        is_read_or_refused(path.parent.name, path.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
@given(data=st.data())
@settings(max_examples=30)
def test_damage_is_read_or_refused(name: str, data: st.DataObject) -> None:
    content = data.draw(st.sampled_from(TARGETS[name].seeds))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        end = start + data.draw(st.integers(0, 40))
        content = content[:start] + data.draw(st.binary(max_size=8) | st.sampled_from(FRAGMENTS)) + content[end:]
    is_read_or_refused(name, content)
