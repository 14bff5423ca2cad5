"""Joining segments: gaps, overlaps, and what cannot be joined."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.steps.stage import perform

from quincunx_shared.errors import BadInput
from quincunx_workers.steps.join import STEP

#: 8,000 samples a second, so that 0.001 s are 8 samples.
RATE = 8000


def joined(segments: list[Any], starts: list[int]) -> npt.NDArray[np.float32]:
    audio = [None if one is None else np.asarray(one, np.float32) for one in segments]
    found = perform(STEP, {"audio": audio, "offsets": [start / RATE for start in starts]}, sample_rate=RATE)
    assert found.shape[0] == 1
    return np.asarray(found[0])


def test_gaps_are_silent() -> None:
    assert joined([[1, 1], [2]], [1, 5]).tolist() == [0, 1, 1, 0, 0, 2]


def test_segments_that_touch_are_laid_end_to_end() -> None:
    assert joined([[1, 1], [2, 2]], [0, 2]).tolist() == [1, 1, 2, 2]


def test_an_overlap_is_a_linear_cross_fade_over_all_of_it() -> None:
    assert joined([[1] * 6, [3] * 6], [0, 1]).tolist() == [1, 1, 1.5, 2, 2.5, 3, 3]


def test_the_first_sample_of_an_overlap_is_the_old_and_the_last_the_new() -> None:
    assert joined([[1, 5, 7], [2, 3, 4]], [0, 1]).tolist() == [1, 5, 3, 4]


def test_three_segments_may_overlap_at_once() -> None:
    assert joined([[1] * 4, [2] * 4, [4] * 4], [0, 2, 3]).tolist() == [1, 1, 1, 2, 3, 4, 4]


def test_a_segment_that_failed_is_silence() -> None:
    assert joined([[1, 1], None, [2]], [0, 2, 4]).tolist() == [1, 1, 0, 0, 2]


def test_what_lies_before_the_start_is_cut() -> None:
    assert joined([[1, 2, 3], [4]], [-2, 2]).tolist() == [3, 0, 4]


def test_nothing_is_a_tenth_of_a_second_of_silence() -> None:
    assert joined([], []).tolist() == [0] * 800
    assert joined([None], [0]).tolist() == [0] * 800


def test_a_segment_inside_those_before_it_is_refused_with_its_place() -> None:
    with pytest.raises(BadInput) as caught:
        joined([[1] * 9, [2] * 2], [0, 3])
    assert caught.value.where == "[1].offset"


def test_every_segment_has_an_offset() -> None:
    with pytest.raises(BadInput, match="2 segments but 1 offsets"):
        joined([[1], [2]], [0])


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), min_size=1, max_size=6))
def test_equal_segments_joined_are_never_louder_than_one(drawn: list[tuple[int, int]]) -> None:
    """Cross-fades of one level keep that level: whatever overlaps, full scale stays full scale."""
    starts, end, before = [], 0, 0
    for gap, length in drawn:
        starts.append(end + gap - min(length, before))
        end, before = starts[-1] + length, length
    song = joined([[1.0] * length for _, length in drawn], starts)
    assert len(song) == end
    assert set(np.round(song, 6)) <= {0.0, 1.0}
