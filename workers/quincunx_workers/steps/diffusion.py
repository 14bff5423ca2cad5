"""How many denoising steps a diffusion model takes: one wish, four generations of model inputs.

| generation | inputs |
| --- | --- |
| 2.0 – 2.1 | `speedup` i64 |
| 2.2 – 2.3 | `speedup` i64, `depth` i64 of 1000 |
| from 2.4 | `steps` i64, `depth` f32 of 1 |
| no shallow diffusion | the same without `depth` |
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from quincunx_shared.errors import BadOption, BadVoicebank
from quincunx_shared.step import Model

#: The length of the noise schedule that all models of the family were trained with.
TIMESTEPS = 1000

NAMES = frozenset({"steps", "speedup", "depth"})


def schedule_feeds(model: Model, *, steps: int, depth: float) -> dict[str, Any]:
    """Return what the model's `steps`, `speedup` and `depth` inputs want, as far as it has them.

    `steps` counts denoising steps; `depth` is the part of the schedule, 0 … 1, that a shallow model runs. A model
    with random nodes inside its loop runs them only when it takes every single timestep: that is refused.
    """
    speedup = _speedup(model, steps, depth)
    if model.unseeded and not model.inputs.keys() & {"steps", "speedup"}:
        raise BadVoicebank(f"random nodes that no seed reaches: {', '.join(model.unseeded)}", where="acoustic model")
    if model.unseeded and speedup <= 1:
        raise BadOption(
            f"{steps} steps at depth {depth:g} would run random nodes that no seed reaches",
            where="steps",
            remedy="use fewer steps, or more depth",
        )
    wanted = {"steps": steps, "speedup": speedup, "depth": _depth(model, speedup, depth)}
    return {name: _filled(model.inputs[name], value) for name, value in wanted.items() if name in model.inputs}


def _speedup(model: Model, steps: int, depth: float) -> int:
    """How many timesteps one step leaps over."""
    if "depth" in model.inputs:
        return max(1, round(depth * TIMESTEPS) // steps)
    leap = max(1, TIMESTEPS // steps)
    if "speedup" not in model.inputs:
        return leap
    # Without a depth the old graphs walk the whole schedule, and a leap that does not divide it overshoots its end.
    return max(divisor for divisor in range(1, leap + 1) if TIMESTEPS % divisor == 0)


def _depth(model: Model, speedup: int, depth: float) -> float:
    if model.inputs.get("depth", ("", ()))[0] != "int64":
        return depth
    return round(depth * TIMESTEPS) // speedup * speedup


def _filled(declared: tuple[str, tuple[int | None, ...]], value: float) -> Any:
    """Return the scalar in the type and rank the model declares; exporters disagree on rank 0 or 1."""
    dtype, shape = declared
    return np.full([size or 1 for size in shape], value, dtype=dtype)


def without_schedule(inputs: Mapping[str, Any]) -> list[str]:
    """Return the names of the inputs that are no part of the schedule."""
    return [name for name in inputs if name not in NAMES]
