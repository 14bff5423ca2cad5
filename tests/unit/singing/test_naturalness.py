"""What singers add unasked."""

import numpy as np
import pytest

from quincunx_workers.singing.naturalness import natural_vibrato, swell

SECONDS = np.arange(-0.5, 3.0, 0.005)


def test_a_long_note_begins_straight_and_swings_at_five_and_a_half_hertz() -> None:
    swing = natural_vibrato(SECONDS, [(0.0, 2.0)])

    assert not swing[SECONDS < 0.22].any()
    assert not swing[SECONDS > 2.0].any()
    steady = swing[(SECONDS > 0.6) & (SECONDS < 1.9)]
    assert 0.95 < np.abs(steady).max() <= 1.0
    turns = np.flatnonzero(np.diff(np.signbit(steady)))
    assert 1 / (2 * np.diff(turns).mean() * 0.005) == pytest.approx(5.5, rel=0.03)
    assert np.abs(np.diff(swing)).max() < 0.2, "no jumps"


def test_a_short_note_stays_straight() -> None:
    assert not natural_vibrato(SECONDS, [(0.0, 0.4), (0.4, 0.8)]).any()


def test_a_phrase_swells_to_its_middle_around_its_mean_level() -> None:
    gain = swell(SECONDS, 2.0, 2.0)
    inside = gain[(SECONDS > 0.07) & (SECONDS < 2.0)]

    assert SECONDS[np.argmax(gain)] == pytest.approx(1.0, abs=0.01)
    assert np.ptp(inside) == pytest.approx(2.0, abs=0.25)
    assert abs(inside.mean()) < 0.1
    assert gain[0] < gain[SECONDS > 0.06][0] - 2.5, "a softer attack"
