"""The frame grid of a phrase: one rule, shared by every step that has frames.

Frame i covers the seconds `[(i - head) * hop / rate, (i + 1 - head) * hop / rate)` from the phrase's anchor. The
grid has a fixed head, so that leading consonants and a breath fit before the first note and the audio of a phrase
always starts the same number of samples before its anchor; and a fixed tail for the release.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quincunx_shared.phrase import Timing


@dataclass(frozen=True, slots=True)
class FrameGrid:
    """The grid of one voice: its sample rate and hop, and how many frames stand before and after the notes."""

    sample_rate: int = 44100
    hop_size: int = 512
    head_frames: int = 48
    tail_frames: int = 16

    @property
    def frame_seconds(self) -> float:
        """The length of one frame."""
        return self.hop_size / self.sample_rate

    @property
    def head_samples(self) -> int:
        """How many samples of a phrase's audio lie before its anchor."""
        return self.head_frames * self.hop_size

    def frame_count(self, timing: Timing) -> int:
        """How many frames the phrase has, head and tail included."""
        end_seconds = timing.axis().seconds_at(timing.end_tick)
        return self.head_frames + math.ceil(end_seconds / self.frame_seconds - 1e-9) + self.tail_frames

    def frame_at(self, seconds: float) -> int:
        """The frame boundary nearest to a moment (half to even), counted from the start of the head."""
        return self.head_frames + round(seconds / self.frame_seconds)

    def centre_seconds(self, count: int) -> npt.NDArray[np.float64]:
        """The middle of each of the first `count` frames, in seconds from the anchor: float64[count]."""
        return (np.arange(count, dtype=np.float64) + 0.5 - self.head_frames) * self.frame_seconds


def frames_of_seconds(seconds: npt.ArrayLike, frame_seconds: float) -> npt.NDArray[np.int64]:
    """Return the frames of phonemes that last so many seconds: the way of DiffSinger's tool, for transcripts.

    Differences of the rounded ends, in single precision, halves to even. The half that is added before rounding is
    the tool's own; a phoneme of 8 frames first in a segment keeps 8.
    """
    ends = np.cumsum(np.asarray(seconds, dtype=np.float32), dtype=np.float32)
    frames = np.round(ends / np.float32(frame_seconds) + np.float32(0.5)).astype(np.int64)
    return np.diff(frames, prepend=np.int64(0))
