"""The committed bank, sung by the real ONNX Runtime."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import ArrayLike, NDArray

import quincunx_shared

BANK = Path(quincunx_shared.__file__).parent / "voicebanks" / "demo"
HOP = 512
RATE = 44_100
#: Frames of silence around what is sung, as DiffSinger's hosts put them.
HEAD = 8

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


def session(model: Path, threads: int = 1) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def tokens_by_name() -> dict[str, int]:
    names = (BANK / "phonemes.txt").read_text("utf-8").split()
    return {name: token for token, name in enumerate(names)}


def named(language: str, names: str) -> list[str]:
    """Full names of a language's phones, given as one line of words."""
    return [f"{language}/{name}" for name in names.split()]


class Singer:
    """Phones, frames and curves in; a mel spectrogram or samples out."""

    def __init__(self, threads: int = 1) -> None:
        self.tokens = tokens_by_name()
        self.acoustic = session(BANK / "acoustic.onnx", threads)
        self.vocoder = session(BANK / "dsvocoder" / "vocoder.onnx", threads)

    def mel(
        self,
        tokens: Ints,
        durations: Ints,
        f0: Floats,
        gender: ArrayLike = 0.0,
        velocity: ArrayLike = 1.0,
        speaker: ArrayLike = (0.0, 0.0),
    ) -> Floats:
        """Mel spectrogram [B, F, 128] of tokens and durations [B, T] at f0 [B, F]."""
        feeds = {
            "tokens": tokens,
            "durations": durations,
            "f0": f0,
            "gender": np.broadcast_to(np.asarray(gender, np.float32), f0.shape),
            "velocity": np.broadcast_to(np.asarray(velocity, np.float32), f0.shape),
            "spk_embed": np.broadcast_to(np.asarray(speaker, np.float32), (*f0.shape, 2)),
            "steps": np.array([20], dtype=np.int64),
        }
        return np.asarray(self.acoustic.run(None, feeds)[0])

    def waveform(self, mel: Floats, f0: Floats, **resume: NDArray[Any]) -> Floats:
        """Samples [B, F * 512]."""
        return np.asarray(self.vocoder.run(None, {"mel": mel, "f0": f0, **resume})[0])

    def phrase(self, phones: Sequence[str], frames: Sequence[int]) -> tuple[Ints, Ints]:
        """Tokens and durations [1, T] with silence at both ends."""
        names = ["SP", *phones, "SP"]
        return (
            np.array([[self.tokens[name] for name in names]], dtype=np.int64),
            np.array([[HEAD, *frames, HEAD]], dtype=np.int64),
        )

    def sing(
        self,
        phones: Sequence[str],
        frames: Sequence[int],
        f0: ArrayLike,
        gender: ArrayLike = 0.0,
        speaker: ArrayLike = (0.0, 0.0),
    ) -> Floats:
        """Samples of a phrase at a constant f0 or one per frame, silence included."""
        tokens, durations = self.phrase(phones, frames)
        curve = np.broadcast_to(np.asarray(f0, np.float32), (1, int(durations.sum()))).copy()
        return np.asarray(self.waveform(self.mel(tokens, durations, curve, gender, speaker=speaker), curve)[0])

    def hold(
        self,
        phone: str,
        f0: ArrayLike,
        frames: int = 60,
        gender: ArrayLike = 0.0,
        speaker: ArrayLike = (0.0, 0.0),
    ) -> Floats:
        """Samples of one sustained phone, without its onset and its end."""
        samples = self.sing([phone], [frames], f0, gender, speaker)
        return samples[(HEAD + 10) * HOP : (HEAD + frames - 8) * HOP]
