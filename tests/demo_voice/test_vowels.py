"""Vowels are where the phone table puts them, and can be told apart."""

import numpy as np
import pytest
from tests.demo_voice import ears
from tests.demo_voice.singer import HEAD, Singer, named

from quincunx_workers.demo_voice.phones import vocabulary

ENGLISH = named("en", "aa ae ah ao eh er ih iy uh uw")
JAPANESE = named("ja", "a i u e o")
SUSTAINED = [*ENGLISH, *named("en", "m n ng l r w y f th s sh hh z zh v dh")]

GLIDE_FRAMES = 200
#: A pitch that moves this far lets the harmonics fill every gap between them.
GLIDE = np.linspace(60.0, 85.0, GLIDE_FRAMES + 2 * HEAD)


def targets(phone: str, gender: float = 0.0) -> ears.Reals:
    posture = next(each.hold for each in vocabulary() if each.name == phone)
    return np.array([posture.f1, posture.f2, posture.f3]) * 2 ** (gender * 5 / 12)


@pytest.mark.parametrize("phone", [*ENGLISH, *JAPANESE])
def test_a_vowel_has_the_formants_of_the_table(singer: Singer, phone: str) -> None:
    samples = singer.hold(phone, GLIDE, GLIDE_FRAMES)

    error = np.abs(ears.formants(samples, targets(phone)) / targets(phone) - 1.0)

    assert (error <= [0.05, 0.04, 0.03]).all()


@pytest.mark.parametrize("gender", [-1.0, 0.5])
def test_gender_moves_the_formants_by_five_semitones(singer: Singer, gender: float) -> None:
    wanted = targets("en/ah", gender)

    found = ears.formants(singer.hold("en/ah", GLIDE, GLIDE_FRAMES, gender), wanted)

    assert (np.abs(found / wanted - 1.0) <= [0.05, 0.04, 0.03]).all()


def test_any_two_english_vowels_differ_by_four_decibels(singer: Singer) -> None:
    shapes = [ears.envelope(singer.hold(phone, GLIDE, GLIDE_FRAMES), 72.0) for phone in ENGLISH]

    distances = [np.sqrt(np.mean((one - other) ** 2)) for i, one in enumerate(shapes) for other in shapes[i + 1 :]]

    assert min(distances) >= 4.0


@pytest.mark.parametrize("f0", [147.0, 262.0])
def test_a_phone_is_recognised_at_a_pitch_it_was_not_learnt_at(singer: Singer, f0: float) -> None:
    learnt = np.stack([ears.envelope(singer.hold(phone, 196.0), 196.0) for phone in SUSTAINED])

    heard = [ears.envelope(singer.hold(phone, f0), f0) for phone in SUSTAINED]
    nearest = [int(np.argmin(((learnt - shape) ** 2).mean(axis=1))) for shape in heard]

    assert np.mean([SUSTAINED[i] == phone for i, phone in zip(nearest, SUSTAINED, strict=True)]) >= 0.85


def test_a_diphthong_ends_on_its_glide_however_long_it_is_held(singer: Singer) -> None:
    tokens, durations = singer.phrase(["en/ay"], [150])
    mel = singer.mel(tokens, durations, np.full((1, 150 + 2 * HEAD), 120.0, np.float32))[0]
    held, glide = mel[HEAD + 100], mel[HEAD + 147]

    start = singer.mel(*singer.phrase(["en/aa"], [150]), np.full((1, 166), 120.0, np.float32))[0, HEAD + 100]
    end = singer.mel(*singer.phrase(["en/ih"], [150]), np.full((1, 166), 120.0, np.float32))[0, HEAD + 100]

    assert np.abs(held - start).mean() < np.abs(held - end).mean()
    assert np.abs(glide - end).mean() < np.abs(glide - start).mean()
