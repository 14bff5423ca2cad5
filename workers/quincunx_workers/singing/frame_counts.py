"""Seconds to whole frames, so that the sum is exact and no phone is lost that can be kept."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Frames = npt.NDArray[np.int64]


def frame_counts(boundaries: Sequence[int], total: int, *, edge_frames: int) -> Frames:
    """Return how many frames each phone lasts: int64[phones], never negative, the sum is `total`.

    `boundaries` are the frames where phones begin, wished for and perhaps out of order; the first counts as 0. Every
    phone gets at least one frame and the first and last at least `edge_frames`, as long as there are frames enough;
    else one each; else some get none.
    """
    count = len(boundaries)
    for edge in (edge_frames, 1):
        least = np.ones(count, dtype=np.int64)
        least[0] = least[-1] = edge
        if least.sum() <= total:
            return _with_least(np.asarray(boundaries, dtype=np.int64), least, total)
    return np.diff(np.arange(count + 1, dtype=np.int64) * total // count)


def _with_least(wished: Frames, least: Frames, total: int) -> Frames:
    earliest = np.concatenate(([0], np.cumsum(least)[:-1]))
    latest = total - np.cumsum(least[::-1])[::-1]
    # With the least lengths subtracted, "at least so long" becomes "not falling". From the end, so that a consonant
    # without room takes a frame from the vowel before it and the vowel after it stays on its note.
    slack = np.minimum.accumulate((wished - earliest)[::-1])[::-1]
    starts = np.clip(slack + earliest, earliest, latest)
    starts[0] = 0
    return np.diff(np.append(starts, total))
