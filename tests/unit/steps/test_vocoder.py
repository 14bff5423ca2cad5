"""The vocoder step, on a real runtime and a model of five nodes."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.unit import tiny_models
from tests.unit.steps.stage import Stage, perform

from quincunx_shared.errors import BadInput, BadVoicebank, StepFailed
from quincunx_workers.onnx_runtime import OnnxRuntime
from quincunx_workers.steps.vocoder import STEP

MEL = np.arange(6, dtype=np.float32).reshape(3, 2)
F0 = np.array([100, 200, 300], dtype=np.float32)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    model = OnnxRuntime().load(*tiny_models.kept(tmp_path, tiny_models.vocoder(hop_size=4)))
    return Stage(models={"v": model})


def sung(stage: Stage, mel: Any = MEL, f0: Any = F0, **options: Any) -> Any:
    return perform(STEP, {"mel": mel, "f0": f0}, stage, vocoder="v", **{"hop_size": 4, **options})


def test_every_frame_becomes_one_hop_of_samples(stage: Stage) -> None:
    audio = sung(stage)
    assert audio.dtype == np.float32
    assert audio.tolist() == [100.5] * 4 + [202.5] * 4 + [304.5] * 4


@pytest.mark.parametrize(
    ("mel_base", "vocoder_base", "factor"), [("10", "e", math.log(10)), ("e", "10", 1 / math.log(10))]
)
def test_the_base_of_the_mel_is_converted(stage: Stage, mel_base: str, vocoder_base: str, factor: float) -> None:
    audio = sung(stage, mel_base=mel_base, vocoder_mel_base=vocoder_base)
    assert audio[4] == pytest.approx(200 + 2.5 * factor)


def test_mel_and_f0_must_have_the_same_frames(stage: Stage) -> None:
    with pytest.raises(BadInput, match="the mel has 3 frames, f0 has 2"):
        sung(stage, f0=F0[:2])


def test_another_hop_than_the_models_is_told(stage: Stage) -> None:
    with pytest.raises(StepFailed, match="3 frames of 512 samples went in, 12 samples came out"):
        sung(stage, hop_size=512)


def test_values_that_are_no_numbers_do_not_become_sound(stage: Stage) -> None:
    with pytest.raises(StepFailed, match="no numbers"):
        sung(stage, mel=MEL * np.float32("nan"))


def test_a_model_that_is_no_vocoder_is_refused(tmp_path: Path) -> None:
    model = OnnxRuntime().load(*tiny_models.kept(tmp_path, tiny_models.doubling()))
    with pytest.raises(BadVoicebank, match="takes mel and f0, not x"):
        sung(Stage(models={"v": model}))


def test_a_model_with_chance_that_no_seed_reaches_is_refused(tmp_path: Path) -> None:
    model = OnnxRuntime().load(*tiny_models.kept(tmp_path, tiny_models.chance_in_a_branch()))
    with pytest.raises(BadVoicebank, match="p_sample"):
        sung(Stage(models={"v": model}))
