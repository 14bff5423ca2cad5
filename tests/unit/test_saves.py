"""A save is noticed once, when it is whole, whichever way an editor has of saving."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quincunx_orchestrator.cli.saves import Stamp, saved_at, settled, stamp_of

A, B, C = (Stamp(number, 100 * number, number) for number in (1, 2, 3))


@pytest.mark.parametrize(
    ("looks", "saves"),
    [
        ([A, A, A], []),
        ([A, B, B, B], [B]),
        ([B, B, C, C], [B, C]),
        ([A, B, C, C], [C]),
        ([A, None, B, B], [B]),
        ([A, None, None, A, A], []),
        ([B, None, B, B], [B]),
        ([B, B, A, A, B, B], [B, A, B]),
    ],
    ids=["untouched", "saved", "twice", "bit by bit", "replaced", "moved away and back", "flicker", "to and fro"],
)
def test_a_save_is_what_stands_still_and_is_new(looks: list[Stamp | None], saves: list[Stamp]) -> None:
    assert list(settled(looks, A)) == saves


@given(st.lists(st.sampled_from([A, B, C, None]), max_size=30))
def test_whatever_an_editor_does_what_it_left_in_the_end_is_noticed(looks: list[Stamp | None]) -> None:
    last = next((look for look in reversed(looks) if look is not None), A)
    noticed = list(settled(chain(looks, [last, last]), A))
    assert (noticed or [A])[-1] == last
    assert all(one != other for one, other in zip([A, *noticed], noticed, strict=False)), "nothing is told twice"


def test_a_file_that_is_replaced_has_another_stamp_even_at_the_same_moment(tmp_path: Path) -> None:
    song = tmp_path / "song.ustx"
    assert stamp_of(song) is None
    song.write_text("one")
    first = stamp_of(song)
    assert first is not None
    other = tmp_path / "other"
    other.write_text("two")
    other.replace(song)
    second = stamp_of(song)
    assert second is not None
    assert second.size == first.size
    assert second.inode != first.inode


@pytest.mark.parametrize(("modified", "told"), [(99.7, 99.7), (100.0, 100.0), (100.5, 100.0), (3.0, 100.0)])
def test_the_date_of_a_save_is_believed_if_it_was_just_now(modified: float, told: float) -> None:
    assert saved_at(Stamp(round(modified * 1e9), 1), now=100.0) == pytest.approx(told)
