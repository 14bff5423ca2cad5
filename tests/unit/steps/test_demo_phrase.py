"""A phrase of the demo voice goes through acoustic, vocoder and post."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from tests.unit.steps.stage import Stage, perform

import quincunx_shared
from quincunx_shared.canonical import digest_of_bytes
from quincunx_shared.frames import FrameGrid
from quincunx_shared.phrase import DrawnCurve, Timing
from quincunx_shared.tempo import TempoEvent
from quincunx_workers.model_pool import ModelLibrary, ModelPool
from quincunx_workers.onnx_runtime import OnnxRuntime
from quincunx_workers.steps import acoustic, post, vocoder

GRID = FrameGrid()
TIMING = Timing((TempoEvent(0, 120.0),), (0, 480), (480, 480))
FRAMES = GRID.frame_count(TIMING)
HERTZ = 220.0


BANK = Path(str(resources.files(quincunx_shared))) / "voicebanks" / "demo"


@pytest.fixture(scope="module")
def stage() -> Stage:
    places = {"acoustic": BANK / "acoustic.onnx", "vocoder": BANK / "dsvocoder" / "vocoder.onnx"}
    digests = {name: digest_of_bytes(path.read_bytes()) for name, path in places.items()}
    pool = ModelPool(ModelLibrary({digests[name]: path for name, path in places.items()}), OnnxRuntime().load)
    files = {"clear": (BANK / "speakers" / "clear.emb").read_bytes()}
    return Stage({name: pool.model(digest) for name, digest in digests.items()}, files)


def sung(stage: Stage, **curves: DrawnCurve) -> npt.NDArray[np.float32]:
    symbols = (BANK / "phonemes.txt").read_text(encoding="utf-8").splitlines()
    f0 = np.full(FRAMES, HERTZ, dtype=np.float32)
    phrase = {
        "ph_seq": ["SP", "en/aa", "en/iy", "SP"],
        "ph_dur": np.array([48, 43, FRAMES - 107, 16]),
        "f0": f0,
        "timing": TIMING.to_payload(),
        "phoneme_ids": {symbol: place for place, symbol in enumerate(symbols)},
        **{name: curve.to_payload() for name, curve in curves.items() if name != "dyn"},
    }
    mel = perform(acoustic.STEP, phrase, stage, acoustic="acoustic", speaker="clear")
    audio = perform(vocoder.STEP, {"mel": mel, "f0": f0}, stage, vocoder="vocoder")
    dyn = curves.get("dyn", DrawnCurve()).to_payload()
    out: npt.NDArray[np.float32] = perform(post.STEP, {"audio": audio, "timing": TIMING.to_payload(), "dyn": dyn})
    return out


def test_the_phrase_sounds_between_its_rests_and_on_pitch(stage: Stage) -> None:
    audio = sung(stage)
    assert audio.shape == (FRAMES * GRID.hop_size,)
    assert not audio[: 30 * GRID.hop_size].any()

    vowel = audio[60 * GRID.hop_size : 85 * GRID.hop_size].astype(np.float64)
    correlation = np.correlate(vowel, vowel, mode="full")[len(vowel) :]
    period = 100 + int(np.argmax(correlation[100:400])) + 1
    assert GRID.sample_rate / period == pytest.approx(HERTZ, rel=0.01)


def test_the_same_phrase_has_the_same_bits(stage: Stage) -> None:
    assert sung(stage).tobytes() == sung(stage).tobytes()


def test_gender_changes_the_voice_and_dynamics_can_silence_it(stage: Stage) -> None:
    plain = sung(stage)
    deep = sung(stage, gender=DrawnCurve((0, 960), (80.0, 80.0)))
    mute = sung(stage, dyn=DrawnCurve((-960, 1440), (-240.0, -240.0)))
    assert np.abs(plain - deep).max() > 0.01
    assert not mute.any()
