"""Where the vocoder stands at a frame, so that a window of a phrase can be rendered as if from its start.

With these two inputs a window [first, last) of a phrase, rendered with four frames of margin on both sides,
equals the same frames of the whole phrase bit for bit. A vocoder that keeps this says so in its metadata
(``RESUMABLE``); the inputs' names alone promise nothing.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from quincunx_workers.demo_voice.mel_layout import HOP_SIZE, SAMPLE_RATE

#: What a vocoder file says of itself that can be resumed by the functions below.
RESUMABLE: Final[Mapping[str, str]] = {"quincunx_resume": "phase0 noise_offset 1"}

#: Frames on each side of a window whose samples are not those of the whole phrase.
MARGIN_FRAMES: Final = 4

#: The vocoder's phase advances in whole multiples of this part of a cycle: then float64 sums are exact, and a phrase
#: resumed anywhere goes on with the very same bits.
PHASE_STEPS: Final = 2.0**32


def phase_at(f0: NDArray[np.float32], frame: int) -> NDArray[np.float64]:
    """``phase0`` for a window that begins at ``frame`` of a phrase whose f0 is ``f0`` [F]; cycles, [1, 1].

    The vocoder begins one block before the first frame's centre and holds the first f0 through it, so that
    block's advance is taken off again.
    """
    pitch = f0[: frame + 1].astype(np.float64)
    elapsed = _advance(np.concatenate([pitch[:1], pitch[:-1]]), pitch).sum()
    elapsed -= _advance(pitch[-1:], pitch[-1:]).sum()
    return np.array([[elapsed % 1.0]])


def _advance(start_hz: NDArray[np.float64], end_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cycles of blocks whose pitch goes from one frequency to the other."""
    cycles = (start_hz + end_hz) * (HOP_SIZE / 2 / SAMPLE_RATE)
    whole: NDArray[np.float64] = np.floor(cycles * PHASE_STEPS + 0.5)
    return whole / PHASE_STEPS


def noise_offset_at(frame: int) -> NDArray[np.int64]:
    """``noise_offset`` for a window that begins at ``frame``; samples, [1]."""
    return np.array([frame * HOP_SIZE], dtype=np.int64)
