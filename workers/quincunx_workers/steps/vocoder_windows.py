"""A long phrase through a vocoder window by window, with the bits of the whole.

A vocoder's intermediates are fifty kilobytes a frame: ten minutes in one go take gigabytes. Only a vocoder that says of
itself that it can be resumed exactly is cut; any other would sound different at the cuts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from quincunx_shared.errors import StepFailed
from quincunx_shared.step import Model
from quincunx_workers.demo_voice.mel_layout import LOWEST_F0_HZ
from quincunx_workers.demo_voice.resume import MARGIN_FRAMES, RESUMABLE, noise_offset_at, phase_at

#: Frames of one window, 12 s: fifty megabytes, and long enough that margins and calls cost nothing.
WINDOW_FRAMES = 1024


def can_be_resumed(model: Model) -> bool:
    """Whether the model promises that a window sounds as the same frames of the whole."""
    return RESUMABLE.items() <= model.metadata.items()


def run_in_windows(
    model: Model, feeds: Mapping[str, Any], *, hop_size: int, seed: int, window_frames: int = WINDOW_FRAMES
) -> npt.NDArray[np.float32]:
    """Return float32[T * hop_size] of `mel` float32[1, T, bins] and `f0` float32[1, T]."""
    f0 = feeds["f0"][0]
    if len(f0) <= 2 * window_frames or not (f0 > LOWEST_F0_HZ).all():
        # Across gaps the vocoder fills in a pitch from both sides, so nobody can tell its phase from f0 alone.
        return np.asarray(model.run(feeds, seed=seed)[0], dtype=np.float32).reshape(-1)

    audio = np.empty(len(f0) * hop_size, dtype=np.float32)
    for first, last in _windows(len(f0), window_frames):
        start, end = max(first - MARGIN_FRAMES, 0), min(last + MARGIN_FRAMES, len(f0))
        window = {name: feed[:, start:end] for name, feed in feeds.items()}
        if start:
            window |= {"phase0": phase_at(f0, start), "noise_offset": noise_offset_at(start)}
        sung = np.asarray(model.run(window, seed=seed)[0], dtype=np.float32).reshape(-1)
        if len(sung) != (end - start) * hop_size:
            raise StepFailed(f"{end - start} frames of {hop_size} samples went in, {len(sung)} samples came out")
        audio[first * hop_size : last * hop_size] = sung[(first - start) * hop_size : (last - start) * hop_size]
    return audio


def _windows(frames: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield stretches [first, last) of about the same length that make up the whole."""
    count = -(-frames // size)
    edges = [frames * number // count for number in range(count + 1)]
    yield from pairwise(edges)
