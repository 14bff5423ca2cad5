"""Whatever a host sends, the output is finite."""

import numpy as np
import pytest
from tests.demo_voice.singer import HOP, Floats, Ints, Singer


def rendered(singer: Singer, tokens: Ints, durations: Ints, f0: Floats, velocity: float = 1.0) -> Floats:
    waveform = singer.waveform(singer.mel(tokens, durations, f0, velocity=velocity), f0)
    assert waveform.shape == (f0.shape[0], f0.shape[1] * HOP)
    return waveform


def test_a_single_frame_renders(singer: Singer) -> None:
    token = np.array([[singer.tokens["en/aa"]]], dtype=np.int64)
    assert np.isfinite(rendered(singer, token, np.ones((1, 1), np.int64), np.full((1, 1), 220.0, np.float32))).all()


@pytest.mark.parametrize("f0", [0.0, 20.0, 2_000.0, 8_000.0])
def test_any_pitch_renders(singer: Singer, f0: float) -> None:
    assert np.isfinite(singer.sing(["en/aa", "en/s", "ja/N"], [20, 8, 20], f0)).all()


def test_gaps_in_the_pitch_render(singer: Singer) -> None:
    f0 = np.full(66, 220.0)
    f0[20:24] = 0.0
    f0[30:50] = 0.0
    assert np.isfinite(singer.sing(["en/aa"], [50], f0)).all()


def test_phones_without_frames_are_left_out(singer: Singer) -> None:
    without = singer.sing(["en/aa", "en/iy"], [20, 20], 220.0)
    assert np.array_equal(singer.sing(["en/aa", "en/s", "en/iy"], [20, 0, 20], 220.0), without)


def test_frames_past_the_durations_belong_to_the_last_phone(singer: Singer) -> None:
    tokens, durations = singer.phrase(["en/aa"], [20])
    f0 = np.full((1, int(durations.sum()) + 30), 220.0, np.float32)
    assert not rendered(singer, tokens, durations, f0)[0, -30 * HOP :].any()


@pytest.mark.parametrize("velocity", [0.0, 0.5, 2.0, 100.0])
def test_any_velocity_renders(singer: Singer, velocity: float) -> None:
    tokens, durations = singer.phrase(["en/t", "en/aa"], [9, 20])
    f0 = np.full((1, int(durations.sum())), 220.0, np.float32)
    assert np.isfinite(rendered(singer, tokens, durations, f0, velocity)).all()


def test_velocity_shortens_the_breath_after_a_stop(singer: Singer) -> None:
    tokens, durations = singer.phrase(["en/t", "en/aa"], [12, 20])
    f0 = np.full((1, int(durations.sum())), 220.0, np.float32)
    slow, fast = (rendered(singer, tokens, durations, f0, velocity)[0] for velocity in (1.0, 2.0))

    first_sound = [int(np.flatnonzero(np.abs(samples) > 1e-3)[0]) for samples in (slow, fast)]

    assert first_sound[1] - first_sound[0] >= HOP
