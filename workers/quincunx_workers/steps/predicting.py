"""What the steps that run a bank's predicting models have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quincunx_shared.frames import FrameGrid
from quincunx_shared.manifest import Input, Option

_GRID = FrameGrid()

IDS = (
    Input(name="phoneme_ids", type="ids", summary="Phoneme name → token of the predicting model."),
    Input(name="language_ids", type="ids", required=False, summary="Language prefix → id."),
)

GRID_OPTIONS = (
    Option(name="sample_rate", type="int", default=_GRID.sample_rate, minimum=8000, maximum=192000),
    Option(name="hop_size", type="int", default=_GRID.hop_size, minimum=1, maximum=8192),
    Option(name="head_frames", type="int", default=_GRID.head_frames, minimum=0, maximum=4096),
    Option(name="tail_frames", type="int", default=_GRID.tail_frames, minimum=0, maximum=4096),
)

_COMMON = (
    Option(name="linguistic", type="model", summary="Digest of the linguistic model."),
    Option(name="seed", type="int", default=0, minimum=0, summary="Chooses the take, where the model draws."),
    Option(name="speaker", type="str", default="", summary="Digest of the speaker's .emb file."),
)

DURATION_OPTIONS = (
    *_COMMON,
    Option(name="dur", type="model", summary="Digest of the duration model."),
    Option(
        name="frame_seconds",
        type="float",
        default=_GRID.frame_seconds,
        minimum=1e-4,
        maximum=1.0,
        summary="What the model counts in.",
    ),
)

PITCH_OPTIONS = (
    *_COMMON,
    Option(name="pitch", type="model", summary="Digest of the pitch model."),
    Option(name="steps", type="int", default=10, minimum=1, maximum=1000, summary="Denoising steps."),
    Option(name="expr", type="float", default=1.0, minimum=0.0, maximum=1.0, summary="Expressiveness."),
)

#: No mix of several.
ONE_SPEAKER: Mapping[str, Any] = {"spk_mix": None, "speakers": None}
