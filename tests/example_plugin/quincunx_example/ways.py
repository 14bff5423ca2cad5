"""A phrase cutter and one that is wrong, an operator, and an interpolation."""

import numpy as np

from quincunx_orchestrator.score.phrasing import Window
from quincunx_shared.intervention import Operator


def note_by_note(notes):
    """Every note is a phrase."""
    return [Window(start, end, (number,)) for number, (start, end) in enumerate(notes)]


def losing_notes(notes):
    """Break the promise that every note is sung once."""
    return note_by_note(notes)[1:]


def smooth(points, positions, tension):
    """Ease in and out of every point."""
    xs, ys = np.array([one.position for one in points]), np.array([one.value for one in points])
    t = np.interp(positions, xs, np.arange(len(xs)))
    k = np.minimum(t.astype(int), len(xs) - 2)
    eased = (t - k) ** 2 * (3 - 2 * (t - k))
    return ys[k] + (ys[k + 1] - ys[k]) * eased


LOUDER = Operator(lambda value, own: np.maximum(value, np.asarray(own, dtype=value.dtype)))
