"""Transcripts for the tests, as the members of a .ds file."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

Members = dict[str, Any]


def curve(low: float, high: float, count: int) -> str:
    """A written curve that swings between two values."""
    swing = np.sin(np.linspace(0, 9, count))
    return " ".join(f"{value:.3f}" for value in (low + high) / 2 + (high - low) / 2 * swing)


def segment(offset: float, phones: str, seconds: str, hertz: float = 300.0, **members: Any) -> Members:
    """A segment with a swinging pitch on a time step of its own, if none is given."""
    total = sum(map(float, seconds.split()))
    pitch = {"f0_seq": curve(hertz * 0.97, hertz * 1.03, int(total / 0.005) + 1), "f0_timestep": "0.005"}
    return {"offset": offset, "ph_seq": phones, "ph_dur": seconds, **pitch, **members}


def song() -> list[Members]:
    """Segments that overlap, leave gaps, and have curves with time steps of their own, shorter and longer than them."""
    return [
        segment(0.05, "SP en/hh en/eh en/l en/ow SP", "0.1 0.08 0.21 0.07 0.4 0.15", 262.0, seed=7, gender=0.3),
        segment(
            0.9, "SP en/w en/er en/l en/d SP", "0.093 0.0613 0.3301 0.0707 0.0422 0.2", 330.0, seed=11,
            gender=curve(-0.8, 0.8, 40), gender_timestep=0.02, velocity=curve(0.6, 1.7, 300), velocity_timestep="0.004",
        ),
        segment(2.25, "SP ja/s ja/a ja/k ja/u ja/r ja/a SP", "0.12 0.09 0.3 0.07 0.2 0.05 0.5 0.2", 392.0,
                f0_seq=curve(380, 400, 60), f0_timestep=str(512 / 44100)),
        segment(3.4, "AP en/ay SP", "0.2 0.7 0.1", 220.0, velocity=1.4, gender=-0.5, spk_mix={"low": 1, "ring": 0.5}),
        segment(3.41, "SP en/aa SP", "0.5 0.9 0.2", 233.0, f0_timestep="0.01",
                spk_mix={"clear": "3 1 0", "low": 0.5}, spk_mix_timestep="0.6"),
    ]  # fmt: skip


def written(path: Path, segments: list[Members] | Members) -> Path:
    """Write a .ds file."""
    path.write_text(json.dumps(segments, ensure_ascii=False), encoding="utf-8")
    return path


PHONES = ("en/aa", "en/iy", "en/ow", "en/s", "en/k", "en/m", "ja/a", "ja/N", "ja/r", "AP", "SP")


@st.composite
def songs(draw: st.DrawFn) -> list[Members]:
    """Songs of a few short segments, each of which ends after the one before it does."""
    found: list[Members] = []
    end = draw(st.floats(0, 0.3))
    for _ in range(draw(st.integers(1, 4))):
        phones = draw(st.lists(st.sampled_from(PHONES), min_size=1, max_size=5))
        seconds = [*(draw(st.floats(0.02, 0.25)) for _ in phones), 0.1]
        offset = max(0.0, end + draw(st.floats(-0.9, 0.2)) * sum(seconds), end - sum(seconds))
        one = segment(offset, " ".join([*phones, "SP"]), _spaced(seconds))
        found.append({**one, **draw(st.fixed_dictionaries({}, optional=_MEMBERS)), **draw(_GENDERS)})
        end = offset + sum(seconds) + 2 * 512 / 44100
    return found


def _spaced(values: Iterable[float]) -> str:
    return " ".join(f"{value:.4f}" for value in values)


_MEMBERS: dict[str, st.SearchStrategy[Any]] = {
    "f0_seq": st.lists(st.floats(110, 700), min_size=2, max_size=30).map(_spaced),
    "f0_timestep": st.sampled_from(["0.005", "0.0116", "0.02"]),
    "velocity": st.floats(0.5, 2),
    "seed": st.integers(0, 9),
    "spk_mix": st.dictionaries(st.sampled_from(["clear", "low", "ring"]), st.floats(0.1, 2), min_size=1),
}
_GENDERS: st.SearchStrategy[Members] = st.fixed_dictionaries({"gender": st.floats(-1, 1)}) | st.fixed_dictionaries(
    {
        "gender": st.lists(st.floats(-1, 1), min_size=2, max_size=9).map(_spaced),
        "gender_timestep": st.sampled_from(["0.01", 0.05]),
    }
)
