"""What a .ds file sounds like, in one loop of NumPy and ONNX Runtime: the oracle of the .ds path.

Written from the description of the format alone. Nothing of the project is imported; only the bank's files are read.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import yaml

Floats = npt.NDArray[np.float64]

SAMPLE_RATE, HOP_SIZE = 44100, 512
TIMESTEP = HOP_SIZE / SAMPLE_RATE


def render_ds(path: Path, bank: Path) -> npt.NDArray[np.int16]:
    """Return the samples of a parametric .ds file as the field's own tool would write them."""
    acoustic, vocoder = load(bank / "acoustic.onnx"), load(bank / "dsvocoder" / "vocoder.onnx")
    ids = {name: number for number, name in enumerate((bank / "phonemes.txt").read_text("utf-8").split("\n")) if name}

    config = yaml.load((bank / "dsconfig.yaml").read_text("utf-8"), yaml.BaseLoader)  # noqa: S506 - all text
    speakers = {name.split("/")[-1]: np.fromfile(bank / f"{name}.emb", "<f4") for name in config["speakers"]}

    song: Floats = np.zeros(0)
    for segment in json.loads(path.read_text("utf-8")):
        audio = sing(segment, acoustic, vocoder, ids, speakers)
        silent = round(segment.get("offset", 0) * SAMPLE_RATE) - len(song)
        song = np.concatenate([song, np.zeros(silent), audio]) if silent >= 0 else cross_fade(song, audio, -silent)
    return np.trunc(song * 32767).astype(np.int16)


@cache
def load(model: Path) -> Any:
    """Return a session on a model."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # the vocoder has optional initialisers, of which it warns
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def sing(
    segment: dict[str, Any],
    acoustic: Any,
    vocoder: Any,
    ids: dict[str, int],
    speakers: dict[str, npt.NDArray[np.float32]],
) -> Floats:
    """Return the sound of one segment."""
    seconds = np.array(segment["ph_dur"].split(), np.float32)
    ends = np.round(np.cumsum(seconds) / np.float32(TIMESTEP) + np.float32(0.5)).astype(np.int64)
    durations = np.diff(ends, prepend=0)
    count = int(durations.sum())
    f0 = resample(segment["f0_seq"], segment["f0_timestep"], count)
    feeds: dict[str, Any] = {
        "tokens": np.array([[ids[name] for name in segment["ph_seq"].split()]], np.int64),
        "durations": durations[np.newaxis],
        "f0": f0[np.newaxis],
        "gender": level(segment, "gender", 0.0, count)[np.newaxis],
        "velocity": level(segment, "velocity", 1.0, count)[np.newaxis],
        "spk_embed": mix_of_speakers(segment.get("spk_mix"), segment.get("spk_mix_timestep", 1), speakers, count),
        "steps": np.array([20], np.int64),
    }
    wanted = {one.name for one in acoustic.get_inputs()}
    (mel,) = acoustic.run(None, {name: value for name, value in feeds.items() if name in wanted})
    (waveform,) = vocoder.run(None, {"mel": mel, "f0": f0[np.newaxis]})
    return np.asarray(waveform, dtype=np.float64).reshape(-1)


def mix_of_speakers(
    mix: dict[str, Any] | None, timestep: str | float, speakers: dict[str, npt.NDArray[np.float32]], count: int
) -> npt.NDArray[np.float32]:
    """Return the embedding on every frame: weights normalised to the sum 1; the first speaker where none is named."""
    given = mix or {next(iter(speakers)): 1.0}
    weights = {
        name: resample(value, timestep, count) if isinstance(value, str) else np.full(count, value, np.float32)
        for name, value in given.items()
    }
    total = np.sum(list(weights.values()), axis=0)
    embeddings = [(weights[name] / total)[:, np.newaxis] * speakers[name] for name in weights]
    return np.asarray(np.sum(embeddings, axis=0)[np.newaxis], dtype=np.float32)


def level(segment: dict[str, Any], name: str, default: float, count: int) -> npt.NDArray[np.float32]:
    """Return a curve of a segment on its frames, or the number that stands for one."""
    value = segment.get(name, default)
    if isinstance(value, str):
        return resample(value, segment[f"{name}_timestep"], count)
    return np.full(count, value, np.float32)


def resample(text: str, timestep: str | float, count: int) -> npt.NDArray[np.float32]:
    """Return a written curve on the frames, cut or padded with its last value."""
    values, own = np.array(text.split(), np.float32), float(timestep)
    drawn = np.interp(np.arange(0, (len(values) - 1) * own, TIMESTEP), own * np.arange(len(values)), values)
    if len(drawn) < count:
        drawn = np.append(drawn, np.full(count - len(drawn), drawn[-1]))
    on_frames: npt.NDArray[np.float32] = drawn[:count].astype(np.float32)
    return on_frames


def cross_fade(before: Floats, after: Floats, overlap: int) -> Floats:
    """Return two sounds that overlap, faded linearly over the whole overlap."""
    k = np.linspace(0, 1, overlap)
    mixed = (1 - k) * before[-overlap:] + k * after[:overlap]
    return np.concatenate([before[:-overlap], mixed, after[overlap:]])
