"""The mix lays phrases at their places."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.steps.stage import perform

from quincunx_shared.errors import BadInput
from quincunx_workers.steps.mix import STEP, gains

Audio = npt.NDArray[np.float32]
HALF = 0.5**0.5


def mixed(*placed: tuple[Any, list[Any]]) -> Audio:
    audio = [None if phrase is None else np.asarray(phrase, dtype=np.float32) for phrase, _ in placed]
    song: Audio = perform(STEP, {"audio": audio, "placements": [placement for _, placement in placed]})
    return song


def test_a_phrase_sounds_exactly_where_it_was_placed() -> None:
    song = mixed(([1, 2], [3, 0.0, 0.0]))
    np.testing.assert_allclose(song, np.array([[0, 0, 0, HALF, 2 * HALF]] * 2), rtol=1e-6)


def test_what_lies_before_the_song_is_cut_and_the_rest_fades_in() -> None:
    phrase = np.ones(1000)
    song = mixed((phrase, [-200, 0.0, 0.0]))
    assert song.shape == (2, 800)
    assert song[0, 0] == 0
    assert np.all(np.diff(song[0, :220]) > 0)
    np.testing.assert_allclose(song[:, 221:], HALF, rtol=1e-6)


def test_a_phrase_that_failed_is_silent_and_leaves_the_others_alone() -> None:
    song = mixed((None, [0, 0.0, 0.0]), ([4], [1, 0.0, 0.0]))
    np.testing.assert_allclose(song, [[0, 4 * HALF]] * 2, rtol=1e-6)


def test_a_phrase_that_ends_before_the_song_begins_is_silent() -> None:
    song = mixed(([1, 2], [-5, 0.0, 0.0]), ([4], [0, 0.0, 0.0]))
    np.testing.assert_allclose(song, [[4 * HALF]] * 2, rtol=1e-6)


def test_a_muted_phrase_is_silent_and_keeps_its_length() -> None:
    song = mixed(([1, 1], [0, 0.0, 0.0]), ([1, 1, 1], [1, None, 0.0]))
    assert song.shape == (2, 4)
    assert not song[:, 2:].any()


def test_an_empty_song_is_a_short_silence() -> None:
    song = mixed()
    assert song.shape == (2, 4410)
    assert not song.any()


@pytest.mark.parametrize(
    ("volume_db", "linear"), [(0, 1), (6, 1.99526), (-16, 0.158489), (-20, 0.0630957), (-24, 0), (-60, 0)]
)
def test_volume_runs_twice_as_fast_below_16_db_and_ends_at_24(volume_db: float, linear: float) -> None:
    left, right = gains(volume_db, 0)
    assert float(np.hypot(left, right)) == pytest.approx(linear, rel=1e-4)


@pytest.mark.parametrize(
    ("pan", "left", "right"), [(-100, 1, 0), (0, HALF, HALF), (100, 0, 1), (50, 0.382683, 0.92388)]
)
def test_pan_has_equal_power(pan: float, left: float, right: float) -> None:
    assert gains(0, pan) == pytest.approx((left, right), abs=1e-6)


def test_every_phrase_needs_a_placement() -> None:
    with pytest.raises(BadInput, match="1 phrases but 2 placements"):
        perform(STEP, {"audio": [np.zeros(3, np.float32)], "placements": [[0, 0.0, 0.0], [1, 0.0, 0.0]]})


def test_the_phrases_themselves_are_not_touched() -> None:
    phrase = np.ones(4, dtype=np.float32)
    phrase.flags.writeable = False
    mixed((phrase, [0, 0.0, 0.0]), (phrase, [2, 0.0, 0.0]))


PHRASES = st.lists(
    st.tuples(
        st.lists(st.floats(-1, 1, width=32), max_size=12),
        st.tuples(st.integers(-8, 30), st.none() | st.floats(-30, 6), st.floats(-100, 100)).map(list),
    ),
    min_size=1,
    max_size=6,
)


@given(PHRASES, PHRASES)
def test_mixing_is_additive(some: list[Any], others: list[Any]) -> None:
    together, apart = mixed(*some, *others), (mixed(*some), mixed(*others))
    total = np.zeros((2, max(one.shape[1] for one in (together, *apart))))
    for one in apart:
        total[:, : one.shape[1]] += one
    np.testing.assert_allclose(together, total[:, : together.shape[1]], atol=1e-5)


@given(PHRASES)
def test_the_same_order_gives_the_same_bits(phrases: list[Any]) -> None:
    assert mixed(*phrases).tobytes() == mixed(*phrases).tobytes()
