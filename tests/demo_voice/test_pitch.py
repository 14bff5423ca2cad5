"""The voice sings the note it is given, and only what is voiced is sung."""

import numpy as np
import pytest
from tests.demo_voice import ears
from tests.demo_voice.singer import HEAD, HOP, RATE, Singer, named

#: Frames next to a boundary, where two sounds share the estimator's window.
NEAR = 2


def test_a_scale_with_vibrato_and_portamento_is_in_tune_to_three_cents(singer: Singer) -> None:
    frames = 500
    seconds = np.arange(frames + 2 * HEAD) * HOP / RATE
    wanted = 220.0 * 2 ** (1.5 * seconds / seconds[-1] + 35 / 1_200 * np.sin(2 * np.pi * 5.5 * seconds))

    pitch, _ = ears.pitch_of(singer.sing(["en/aa"], [frames], wanted))

    error = np.abs(ears.cents(pitch, wanted))[HEAD + 6 : -HEAD - 6]
    assert np.median(error) <= 3.0
    assert np.percentile(error, 95) <= 8.0


@pytest.mark.parametrize("phone", ["en/iy", "en/ow", "ja/u", "ja/N", "en/l"])
def test_a_held_note_is_in_tune_to_a_cent(singer: Singer, phone: str) -> None:
    for f0 in (110.0, 220.0, 440.0, 622.0):
        pitch, _ = ears.pitch_of(singer.hold(phone, f0))
        assert np.median(np.abs(ears.cents(pitch, np.full_like(pitch, f0)))) <= 1.0


def test_a_note_held_for_two_minutes_drifts_by_less_than_a_thousandth_of_a_cycle(singer: Singer) -> None:
    samples = singer.sing(["en/aa"], [int(120 * RATE / HOP)], 220.0)

    drift = ears.phase_at(samples, 220.0, 2 * RATE) - ears.phase_at(samples, 220.0, 118 * RATE)

    assert abs(drift) <= 1e-3


def test_voiced_phones_are_voiced_and_unvoiced_ones_are_not(singer: Singer) -> None:
    voiced = set(named("en", "aa iy uw er m n ng l r w y v dh z zh"))
    unvoiced = set(named("en", "s sh f th hh")) | {"ja/f", "ja/hy", "AP"}
    order = [phone for pair in zip(sorted(voiced), sorted(unvoiced) * 2, strict=False) for phone in pair]
    frames = [16] * len(order)

    pitch, periodicity = ears.pitch_of(singer.sing(order, frames, 196.0))

    heard = (periodicity > 0.5) & (np.abs(pitch - 196.0) < 4.0)
    expected = np.repeat([phone in voiced for phone in order], 16)
    inside = np.tile(np.arange(16), len(order))
    settled = (inside >= NEAR) & (inside < 16 - NEAR)
    right = (heard[HEAD : HEAD + len(expected)] == expected)[settled]
    assert right.mean() >= 0.97


def test_nothing_sounds_between_the_harmonics_of_a_vowel(singer: Singer) -> None:
    for f0 in (220.0, 880.0, 1_760.0):
        for phone in ("en/aa", "en/iy", "ja/u"):
            assert ears.off_grid_level(singer.hold(phone, f0, 100), f0, below_hz=2_000.0) <= -35.0
