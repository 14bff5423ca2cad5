"""The step reverb: the dry sound stays, a room stands behind it, and a seed always draws the same room."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.unit.tiny_bank import DEMO, BankContext

from quincunx_shared.voicebank import load_voicebank
from quincunx_workers.steps.reverb import BLOCK, DELAY_SECONDS, STEP, room

RATE = 44_100
CONTEXT = BankContext(load_voicebank(DEMO))


def reverberated(audio: np.ndarray, **options: Any) -> np.ndarray:
    return np.asarray(STEP.run({"audio": audio}, STEP.manifest.resolve_options(options), CONTEXT))


def noise(count: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((2, count)).astype(np.float32)


def test_a_click_keeps_its_place_and_the_room_follows_it() -> None:
    click = np.zeros((2, 1_000), np.float32)
    click[:, 10] = 1.0
    out = reverberated(click, amount=0.1)

    assert out.shape == (2, 1_000 + round(RATE * (0.9 + DELAY_SECONDS)))
    assert np.allclose(out[:, 10], 1.0, atol=1e-6)
    assert np.abs(out[:, 11 : 10 + round(RATE * DELAY_SECONDS)]).max() < 1e-6, "nothing before the first wall"
    assert np.sqrt((out[:, 11:] ** 2).sum(axis=1)) == pytest.approx([0.1, 0.1], rel=1e-3)
    assert not np.allclose(out[0, 900:], out[1, 900:]), "the two sides hear different walls"


def test_the_room_falls_by_sixty_decibels_in_its_time() -> None:
    answer = room(RATE, 0.9, 0, 0)
    ends = [np.sqrt((part**2).mean()) for part in (answer[1_000:3_000], answer[-2_000:])]
    assert 20 * np.log10(ends[1] / ends[0]) == pytest.approx(-57, abs=4)


def test_it_is_the_convolution_with_the_room_over_block_borders_too() -> None:
    audio = noise(BLOCK + 5_000)[:1]
    out = reverberated(audio, amount=0.5, seconds=0.05)[0]
    answer = 0.5 * room(RATE, 0.05, 0, 0)

    for place in (100, BLOCK - len(answer) + 3, BLOCK + 2_000, len(out) - 50):
        reach = [(place - k, answer[k]) for k in range(len(answer)) if 0 <= place - k < audio.shape[1]]
        wet = sum(float(audio[0, at]) * weight for at, weight in reach)
        dry = float(audio[0, place]) if place < audio.shape[1] else 0.0
        assert out[place] == pytest.approx(dry + wet, abs=1e-4)


def test_the_same_seed_draws_the_same_room_and_another_another() -> None:
    audio = noise(3_000)
    assert np.array_equal(reverberated(audio), reverberated(audio))
    assert not np.array_equal(reverberated(audio), reverberated(audio, seed=1))


def test_no_amount_changes_nothing_and_mono_stays_mono() -> None:
    audio = noise(3_000)
    assert np.array_equal(reverberated(audio, amount=0.0), audio)
    assert reverberated(audio[0]).ndim == 1
    assert reverberated(np.zeros((2, 0), np.float32)).shape == (2, 0)
