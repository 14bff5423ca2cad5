"""Seconds to frames, by the formulas of DiffSinger's command line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.steps.stage import perform

from quincunx_shared.errors import BadInput
from quincunx_shared.frames import frames_of_seconds
from quincunx_workers.steps.frames import STEP, on_frames

TIMESTEP = 512 / 44100


def laid(**inputs: Any) -> dict[str, Any]:
    given_inputs = {"ph_dur": [0.1, 0.4, 0.1], "f0_seq": {"timestep": 0.005, "values": [200.0, 300.0]}}
    found: dict[str, Any] = perform(STEP, {**given_inputs, **inputs})
    return found


def test_eight_frames_of_silence_stay_eight_frames() -> None:
    assert frames_of_seconds([8 * TIMESTEP, 0.5], TIMESTEP).tolist() == [8, 44]


@pytest.mark.parametrize(
    ("seconds", "frames"),
    [
        ([0.0], [0]),  # an end at 0.5 frames goes to the even 0
        ([TIMESTEP], [2]),  # 1.5 goes to the even 2
        ([TIMESTEP, TIMESTEP], [2, 0]),  # and 2.5 back to 2
        ([0.1316, 0.0554, 0.1758], [12, 5, 15]),
        ([0.0004, 0.4], [1, 34]),
    ],
)
def test_ends_are_rounded_a_half_up_and_halves_to_even(seconds: list[float], frames: list[int]) -> None:
    assert frames_of_seconds(seconds, TIMESTEP).tolist() == frames


@given(st.lists(st.floats(0, 3), min_size=1, max_size=50))
def test_no_phoneme_lasts_less_than_nothing_and_their_sum_is_the_end(seconds: list[float]) -> None:
    counts = frames_of_seconds(seconds, TIMESTEP)
    assert (counts >= 0).all()
    assert abs(counts.sum() - sum(seconds) / TIMESTEP - 0.5) <= 0.5 + 1e-3 * max(sum(seconds), 1)


def test_a_curve_is_linear_between_its_points() -> None:
    level = {"timestep": 2 * TIMESTEP, "values": [0.0, 2.0, 1.0]}
    assert on_frames(level, TIMESTEP, 4).tolist() == [0.0, 1.0, 2.0, 1.5]


def test_a_curve_is_cut_at_the_end_and_held_behind_its_own() -> None:
    level = {"timestep": TIMESTEP, "values": [1.0, 2.0, 3.0]}
    assert on_frames(level, TIMESTEP, 2).tolist() == [1.0, 2.0]
    # The last moment before the last point is the last that is drawn: the end of the range is not in it.
    assert on_frames(level, TIMESTEP, 5).tolist() == [1.0, 2.0, 2.0, 2.0, 2.0]


def test_one_value_or_a_number_holds_everywhere() -> None:
    assert on_frames({"timestep": 0.1, "values": [3.0]}, TIMESTEP, 3).tolist() == [3.0] * 3
    assert on_frames(-0.5, TIMESTEP, 2).tolist() == [-0.5] * 2


def test_what_is_not_given_is_none() -> None:
    found = laid(curves={"gender": 0.5})
    assert found["gender"].tolist() == [0.5] * len(found["f0"])
    assert found["velocity"] is None
    assert found["spk_mix"] is None


def test_a_predicted_pitch_is_cut_or_held_to_the_durations() -> None:
    found = laid(f0_seq=None, f0_pred=np.array([200, 300], np.float32))
    assert found["f0"].tolist() == [200.0] + [300.0] * (int(found["ph_dur"].sum()) - 1)


def test_a_mix_of_speakers_sums_to_one() -> None:
    weights = [1.0, {"timestep": 0.3, "values": [1.0, 3.0, 3.0]}]
    mix = laid(speaker_mix={"by": "frame", "weights": weights})["spk_mix"]
    np.testing.assert_allclose(mix.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(mix[0], [0.5, 0.5])
    np.testing.assert_allclose(mix[-1], [0.25, 0.75])


def test_a_mix_for_phonemes_holds_for_their_frames() -> None:
    found = laid(speaker_mix={"by": "phoneme", "weights": [[1, 0, 1], 1]})
    mix, counts = found["spk_mix"], found["ph_dur"]
    np.testing.assert_allclose(mix[:, 0], np.repeat([0.5, 0.0, 0.5], counts))


@pytest.mark.parametrize("weights", [[0.0, 0.0], [1.0, -0.5], [{"timestep": 0.3, "values": [1.0, 0.0, 0.0]}, 0.0]])
def test_a_mix_of_nobody_is_refused(weights: list[Any]) -> None:
    with pytest.raises(BadInput, match="negative or all zero"):
        laid(speaker_mix={"by": "frame", "weights": weights})


def test_a_segment_too_long_to_be_sung_in_one_piece_is_refused() -> None:
    with pytest.raises(BadInput, match="80000"):
        laid(ph_dur=[600.0, 600.0])
