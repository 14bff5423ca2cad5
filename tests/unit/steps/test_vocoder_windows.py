"""A long phrase is sung in windows only where that changes no bit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit import tiny_models
from tests.unit.tiny_bank import DEMO

from quincunx_shared.bank_folder import file_digest
from quincunx_workers.onnx_runtime import OnnxModel, OnnxRuntime
from quincunx_workers.steps.vocoder_windows import can_be_resumed, run_in_windows

HOP = 512


def demo_vocoder() -> OnnxModel:
    path = DEMO / "dsvocoder" / "vocoder.onnx"
    return OnnxRuntime().load(path, file_digest(path))


VOCODER = demo_vocoder()


@dataclass(frozen=True)
class Counting:
    """The vocoder, and how many frames it was given each time."""

    frames: list[int] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(VOCODER, name)

    def run(self, feeds: Mapping[str, Any], *, seed: int = 0) -> tuple[Any, ...]:
        self.frames.append(feeds["f0"].shape[1])
        return VOCODER.run(feeds, seed=seed)


def phrase(frames: int, seed: int) -> dict[str, Any]:
    """A mel that moves, and a pitch that glides over two octaves."""
    draw = np.random.default_rng(seed)
    mel = draw.normal(-4, 2, (frames, 128)).astype(np.float32)
    f0 = 220 * 2 ** np.cumsum(draw.normal(0, 0.01, frames))
    return {"mel": mel[np.newaxis], "f0": np.clip(f0, 80, 1000).astype(np.float32)[np.newaxis]}


@given(frames=st.integers(1, 200), window=st.integers(5, 60), seed=st.integers(0, 9))
@settings(max_examples=25)
def test_windows_have_the_bits_of_the_whole(frames: int, window: int, seed: int) -> None:
    feeds, counting = phrase(frames, seed), Counting()
    whole = VOCODER.run(feeds)[0].reshape(-1)
    cut = run_in_windows(counting, feeds, hop_size=HOP, seed=0, window_frames=window)
    assert np.array_equal(cut, whole)
    assert len(counting.frames) == (1 if frames <= 2 * window else -(-frames // window))


def test_a_window_of_any_length_costs_no_more_than_its_margins() -> None:
    counting = Counting()
    run_in_windows(counting, phrase(1000, 1), hop_size=HOP, seed=0, window_frames=100)
    assert max(counting.frames) <= 100 + 8
    assert sum(counting.frames) == 1000 + 9 * 8


def test_a_phrase_with_gaps_in_its_pitch_is_left_whole() -> None:
    feeds, counting = phrase(100, 2), Counting()
    feeds["f0"][0, 40:50] = 0
    cut = run_in_windows(counting, feeds, hop_size=HOP, seed=0, window_frames=10)
    assert counting.frames == [100]
    assert np.array_equal(cut, VOCODER.run(feeds)[0].reshape(-1))


@pytest.mark.parametrize("model", [tiny_models.vocoder(), tiny_models.short_vocoder()])
def test_a_vocoder_that_promises_nothing_is_never_cut(tmp_path: Path, model: bytes) -> None:
    assert not can_be_resumed(OnnxRuntime().load(*tiny_models.kept(tmp_path, model)))
    assert can_be_resumed(VOCODER)
