"""The acoustic step feeds whatever the model asks for; the models here give back what they were fed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.unit import tiny_models
from tests.unit.steps.stage import Stage, perform
from tests.unit.tiny_models import FLOAT, INT64, value

from quincunx_shared.errors import BadInput, BadOption, BadVoicebank
from quincunx_shared.phrase import DrawnCurve, Timing
from quincunx_shared.tempo import TempoEvent
from quincunx_workers.onnx_runtime import OnnxRuntime
from quincunx_workers.steps.acoustic import STEP

#: 10 frames a second, 48 ticks a frame: 2 frames of head, 10 of notes, 1 of tail.
TIMING = Timing((TempoEvent(0, 60.0),), (0,), (480,))
GRID = {"sample_rate": 8000, "hop_size": 800, "head_frames": 2, "tail_frames": 1}
FRAMES = 13
F0 = np.linspace(200, 300, FRAMES).astype(np.float32)

Load = Callable[[bytes], Stage]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def with_model(content: bytes) -> Stage:
        model = OnnxRuntime().load(*tiny_models.kept(tmp_path, content))
        return Stage(models={"a": model}, files={"spk": np.array([1, 2, 3], "<f4").tobytes()})

    return with_model


def sung(stage: Stage, options: dict[str, Any] | None = None, **inputs: Any) -> Any:
    given = {
        "ph_seq": ["SP", "zh/a", "SP"],
        "ph_dur": np.array([2, 10, 1]),
        "f0": F0,
        "timing": TIMING.to_payload(),
        "phoneme_ids": {"<PAD>": 0, "SP": 1, "zh/a": 2, "zh/b": 3},
    }
    return perform(STEP, {**given, **inputs}, stage, **{"acoustic": "a", **GRID, **(options or {})})


def drawn(*values: float, default: float = 0.0) -> Any:
    """A curve over the whole phrase, through values at equal distances."""
    ticks = tuple(int(tick) for tick in np.linspace(-480, 960, len(values)))
    return DrawnCurve(ticks, values, default).to_payload()


def test_the_mel_has_a_row_a_frame(load: Load) -> None:
    mel = sung(load(tiny_models.acoustic()))
    assert mel.shape == (FRAMES, 1)
    np.testing.assert_array_equal(mel[:, 0], F0)


def test_tokens_languages_and_durations_reach_the_model(load: Load) -> None:
    reading = load(tiny_models.reading_tokens())
    mel = sung(reading, language_ids={"en": 1, "zh": 7})
    assert mel[:3].astype(int).tolist() == [[1, 0, 2], [2, 7, 10], [1, 0, 1]]


@pytest.mark.parametrize(("genc", "fed"), [(0, 0.0), (-100, 2.4), (100, -2.4), (50, -1.2)])
def test_gender_spans_twelve_semitones(load: Load, genc: float, fed: float) -> None:
    mel = sung(load(tiny_models.acoustic(frames=("f0", "gender"))), gender=drawn(genc, genc))
    np.testing.assert_allclose(mel[:, 1], fed, rtol=1e-6)


def test_the_range_of_training_and_the_tracks_colour_move_gender(load: Load) -> None:
    options = {"gender_range_down": -12.0, "gender_range_up": 6.0, "gender_shift": 0.25}
    mel = sung(load(tiny_models.acoustic(frames=("f0", "gender"))), options, gender=drawn(100, 100))
    np.testing.assert_allclose(mel[:, 1], -0.75, rtol=1e-6)


@pytest.mark.parametrize(("velc", "fed"), [(100, 1.0), (200, 2.0), (0, 0.5)])
def test_velocity_doubles_every_hundred(load: Load, velc: float, fed: float) -> None:
    mel = sung(load(tiny_models.acoustic(frames=("f0", "velocity"))), velocity=drawn(velc, velc, default=100.0))
    np.testing.assert_allclose(mel[:, 1], fed, rtol=1e-6)


def test_without_a_curve_gender_and_velocity_are_neutral(load: Load) -> None:
    mel = sung(load(tiny_models.acoustic(frames=("gender", "velocity", "f0"))))
    np.testing.assert_array_equal(mel[:, :2], [[0, 1]] * FRAMES)


def test_a_curve_is_read_at_the_middle_of_each_frame(load: Load) -> None:
    curve = DrawnCurve((0, 480), (0.0, 100.0)).to_payload()
    mel = sung(load(tiny_models.acoustic(frames=("f0", "gender"))), gender=curve)
    np.testing.assert_allclose(mel[2:12, 1], -2.4 * (np.arange(10) + 0.5) / 10, rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "curve", "fed"),
    [("energy", 50.0, 6.0), ("breathiness", -100.0, -12.0), ("voicing", 50.0, -6.0), ("tension", 100.0, 5.0)],
)
def test_what_was_drawn_is_added_to_what_was_predicted(load: Load, name: str, curve: float, fed: float) -> None:
    predicted = np.full(FRAMES, -30, dtype=np.float32)
    mel = sung(
        load(tiny_models.acoustic(frames=("f0", name))), **{name: drawn(curve, curve), f"{name}_pred": predicted}
    )
    np.testing.assert_allclose(mel[:, 1], -30 + fed, rtol=1e-6)


def test_a_model_that_needs_a_prediction_says_so(load: Load) -> None:
    with pytest.raises(BadInput, match=r"breathiness_pred: .*variance model"):
        sung(load(tiny_models.acoustic(frames=("f0", "breathiness"))))


def test_gaps_in_f0_are_filled(load: Load) -> None:
    f0 = F0.copy()
    f0[[0, 5, 12]] = 0
    mel = sung(load(tiny_models.acoustic()), f0=f0)
    np.testing.assert_allclose(mel[[0, 5, 12], 0], [F0[1], F0[5], F0[11]], rtol=1e-6)


def test_a_phrase_without_any_pitch_is_refused(load: Load) -> None:
    with pytest.raises(BadInput, match="f0: the phrase has no pitch"):
        sung(load(tiny_models.acoustic()), f0=np.zeros(FRAMES, np.float32))


def test_an_unknown_phoneme_is_named_with_the_nearest(load: Load) -> None:
    with pytest.raises(BadInput, match=r"ph_seq\[1\]: this voice has no phoneme 'zh/aa'; did you mean 'zh/a'\?"):
        sung(load(tiny_models.acoustic()), ph_seq=["SP", "zh/aa", "SP"])


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"ph_dur": np.array([2, 10, 2])}, r"ph_dur: the durations end at frame 14, f0 at 13"),
        ({"ph_dur": np.array([2, -1, 12])}, r"ph_dur: "),
        ({"ph_dur": np.array([2, 11])}, r"ph_dur: 2 durations for 3 phonemes"),
        ({"ph_dur": np.array([2, 9, 1]), "f0": F0[:12]}, r"f0: f0 has 12 frames, the phrase 13"),
    ],
)
def test_lengths_that_do_not_fit_are_refused_before_the_model_runs(inputs: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        sung(Stage(), **inputs)


def test_a_speaker_stands_on_every_frame(load: Load) -> None:
    stage = load(tiny_models.speaking(hidden=3))
    np.testing.assert_array_equal(sung(stage, {"speaker": "spk"}), [[1, 2, 3]] * FRAMES)


def test_a_missing_or_misshapen_speaker_is_told(load: Load) -> None:
    with pytest.raises(BadVoicebank, match="wants a speaker"):
        sung(load(tiny_models.speaking(hidden=3)))
    with pytest.raises(BadVoicebank, match="has 12 bytes, the model wants 16"):
        sung(load(tiny_models.speaking(hidden=4)), {"speaker": "spk"})


def test_an_input_nobody_knows_is_named(load: Load) -> None:
    with pytest.raises(BadVoicebank, match="'mood'"):
        sung(load(tiny_models.acoustic(value("mood", FLOAT, 1, "T"))))


def test_the_seed_chooses_the_take(load: Load) -> None:
    stage = load(tiny_models.hissing())
    takes = [sung(stage, {"seed": seed}).tobytes() for seed in (1, 1, 2)]
    assert takes[0] == takes[1] != takes[2]


def test_steps_that_would_run_chance_without_a_seed_are_refused(load: Load) -> None:
    stage = load(tiny_models.chance_in_a_branch())
    assert sung(stage, {"steps": 20}).shape == (FRAMES, 1)
    with pytest.raises(BadOption, match="use fewer steps"):
        sung(stage, {"steps": 1000})


@pytest.mark.parametrize(
    ("extra", "options", "fed"),
    [
        ((value("steps", INT64),), {"steps": 20}, [20]),
        ((value("steps", INT64, 1), value("depth", FLOAT)), {"steps": 20, "depth": 0.5}, [20, 0.5]),
        ((value("speedup", INT64),), {"steps": 20}, [50]),
        ((value("speedup", INT64),), {"steps": 30}, [25]),
        ((value("speedup", INT64), value("depth", INT64)), {"steps": 20, "depth": 0.33}, [16, 320]),
    ],
)
def test_every_generation_gets_its_schedule(load: Load, extra: Any, options: dict[str, Any], fed: list[float]) -> None:
    mel = sung(load(tiny_models.telling(*extra)), options)
    np.testing.assert_allclose(mel[0], fed)
