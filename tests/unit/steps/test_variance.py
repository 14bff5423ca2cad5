"""The variance step: what its models are fed, and what is predicted or kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.unit import variance_models
from tests.unit.steps.stage import Stage, perform
from tests.unit.tiny_models import kept

from quincunx_shared.errors import BadInput
from quincunx_workers.onnx_runtime import OnnxRuntime
from quincunx_workers.singing.phonology import Phonology
from quincunx_workers.steps.variance import STEP, word_sizes

PHONOLOGY = {"phones": ["SP", "zh/k", "zh/a", "zh/n"], "dictionaries": {}}
DURATIONS = np.array([2, 1, 4, 3])
A4 = np.full(10, 440, np.float32)


def stage(folder: Path, *, words: bool = False) -> Stage:
    runtime = OnnxRuntime()
    encoder = runtime.load(*kept(folder, variance_models.linguistic(words=words), "linguistic.onnx"))
    return Stage(models={"l": encoder, "v": runtime.load(*kept(folder, variance_models.variance(), "variance.onnx"))})


def predicted(at: Stage, per_frame: float = 1.0, **inputs: Any) -> dict[str, Any]:
    given = {
        "ph_seq": ["SP", "zh/k", "zh/a", "SP"], "ph_dur": DURATIONS, "f0": A4, "phonology": PHONOLOGY,
        "phoneme_ids": {"SP": 1, "zh/k": 2, "zh/a": 3},
    }  # fmt: skip
    options = {"linguistic": "l", "variance": "v", "frames_per_frame": per_frame}
    found: dict[str, Any] = perform(STEP, {**given, **inputs}, at, **options)
    return found


def test_what_is_not_given_is_predicted_from_phonemes_and_pitch(tmp_path: Path) -> None:
    found = predicted(stage(tmp_path))
    assert found["energy"].tolist() == [69 + 1 + 2 + 3 + 1] * 10
    assert found["breathiness"].tolist() == [2] * 10
    assert found["voicing"] is None
    assert found["tension"] is None


def test_what_is_given_is_kept_and_only_the_rest_taken_anew(tmp_path: Path) -> None:
    drawn = np.linspace(-30, -20, 10).astype(np.float32)
    found = predicted(stage(tmp_path), energy=drawn)
    np.testing.assert_array_equal(found["energy"], drawn)
    assert found["breathiness"].tolist() == [1] * 10


def test_gaps_of_the_pitch_are_filled(tmp_path: Path) -> None:
    f0 = A4.copy()
    f0[3:5] = 0
    assert predicted(stage(tmp_path), f0=f0)["energy"].tolist() == [76] * 10


def test_an_encoder_that_counts_in_words_is_fed_words(tmp_path: Path) -> None:
    found = predicted(stage(tmp_path, words=True))
    assert found["energy"].tolist() == [69 + 7 + 4 * 2 * 100] * 10


@pytest.mark.parametrize(
    ("phones", "sizes"),
    [
        ("SP zh/k zh/a SP", [2, 2]),
        ("SP zh/a zh/n SP zh/k zh/a SP", [1, 2, 2, 2]),
        ("SP SP", [2]),
        ("zh/a", [1]),
    ],
)
def test_words_begin_at_vowels(phones: str, sizes: list[int]) -> None:
    phonology = Phonology.from_payload(PHONOLOGY, lambda _: b"")
    assert word_sizes(phones.split(), phonology) == sizes


def test_durations_of_another_length_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="the durations end at frame 10, f0 at 9"):
        predicted(stage(tmp_path), f0=A4[:9])


@pytest.mark.parametrize("per_frame", [0.5, 2.0, 1.37])
def test_a_model_with_other_frames_is_fed_those_and_heard_on_ours(tmp_path: Path, per_frame: float) -> None:
    rising = (440 * 2 ** (np.arange(10) / 12)).astype(np.float32)
    found = predicted(stage(tmp_path), per_frame, f0=rising)
    assert found["breathiness"].tolist() == [2] * 10
    np.testing.assert_allclose(found["energy"][2:-2], 76 + np.arange(10)[2:-2], atol=0.35)


def test_a_phrase_shorter_than_a_frame_of_the_model_is_one(tmp_path: Path) -> None:
    found = predicted(stage(tmp_path), 0.01)
    assert found["energy"].tolist() == [76] * 10
