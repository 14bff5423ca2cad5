"""The vectors of transcript.json: seconds on frames, curves on frames, segments in a row, names of notes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quincunx_orchestrator.score.note_names import tone_of
from quincunx_shared.frames import frames_of_seconds
from quincunx_workers.steps.frames import on_frames
from quincunx_workers.steps.join import STEP as JOIN

VECTORS = json.loads(Path(__file__).with_name("transcript.json").read_text(encoding="utf-8"))


def named(kind: str) -> list[Any]:
    return [pytest.param(vector, id=vector["says"]) for vector in VECTORS[kind]]


@pytest.mark.parametrize("vector", named("frames"))
def test_seconds_become_frames(vector: Any) -> None:
    assert frames_of_seconds(vector["seconds"], vector["hop_size"] / vector["sample_rate"]).tolist() == vector["frames"]


@pytest.mark.parametrize("vector", named("curves"))
def test_a_curve_is_laid_on_frames(vector: Any) -> None:
    assert on_frames(vector, vector["frame_seconds"], vector["count"]).tolist() == pytest.approx(vector["frames"])


@pytest.mark.parametrize("vector", named("joined"))
def test_segments_are_joined(vector: Any) -> None:
    audio = [None if one is None else np.array(one, dtype=np.float32) for one in vector["segments"]]
    options = {"sample_rate": vector["sample_rate"]}
    joined = JOIN.run({"audio": audio, "offsets": vector["offsets"]}, options, None)  # type: ignore[arg-type]
    assert joined.tolist() == [vector["samples"]]


@pytest.mark.parametrize("vector", named("notes"))
def test_a_note_has_its_tone(vector: Any) -> None:
    assert tone_of(vector["name"]) == (None if vector["tone"] is None else pytest.approx(vector["tone"]))
