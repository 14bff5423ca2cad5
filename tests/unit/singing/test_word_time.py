"""The time of words shared among their phonemes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quincunx_workers.singing.word_time import MOST_OF_A_WORD, scaled_to_words, wished_seconds

KINDS = {"SP": "silence", "a": "vowel", "o": "vowel", "n": "nasal", "k": "stop"}


def wished(phones: str, counts: list[int], seconds: list[float]) -> list[float]:
    return [*wished_seconds(phones.split(), counts, seconds, KINDS.__getitem__, lambda _: 0.08)]


def test_consonants_keep_their_nature_and_the_vowel_has_the_rest() -> None:
    assert wished("SP k a n", [2, 2], [0.3, 0.5]) == pytest.approx([0.22, 0.08, 0.42, 0.08])


def test_consonants_are_pressed_where_a_word_is_short() -> None:
    assert wished("a n k", [3], [0.1]) == pytest.approx([0.055, 0.0225, 0.0225])


def test_two_vowels_share_evenly() -> None:
    assert wished("a o", [2], [0.4]) == pytest.approx([0.2, 0.2])


def test_a_word_without_a_vowel_is_scaled_to_its_time() -> None:
    assert wished("k n", [2], [0.4]) == pytest.approx([0.08, 0.08])  # by nature
    assert [*scaled_to_words([0.08, 0.08], [2], [0.4])] == pytest.approx([0.2, 0.2])


def test_predicted_durations_are_scaled_word_by_word() -> None:
    assert [*scaled_to_words([1, 3, 2], [2, 1], [0.4, 0.5])] == pytest.approx([0.1, 0.3, 0.5])


def test_a_word_predicted_to_last_no_time_is_shared_evenly() -> None:
    assert [*scaled_to_words([0, 0, -1, 1], [2, 2], [0.4, 0.5])] == pytest.approx([0.2, 0.2, 0, 0.5])


@given(st.lists(st.tuples(st.lists(st.sampled_from([*KINDS]), min_size=1, max_size=5), st.floats(0, 5)), min_size=1))
def test_words_last_as_long_as_the_music_says(words: list[tuple[list[str], float]]) -> None:
    phones = [phone for group, _ in words for phone in group]
    counts, seconds = [len(group) for group, _ in words], [length for _, length in words]
    lengths = scaled_to_words(
        wished_seconds(phones, counts, seconds, KINDS.__getitem__, lambda _: 0.08), counts, seconds
    )
    assert (lengths >= 0).all()
    sums = np.add.reduceat(lengths, np.cumsum([0, *counts[:-1]]))
    np.testing.assert_allclose(sums, seconds, atol=1e-9)
    for (group, length), part in zip(words, np.split(lengths, np.cumsum(counts)[:-1]), strict=True):
        consonants = sum(
            one for phone, one in zip(group, part, strict=True) if KINDS[phone] not in ("vowel", "silence")
        )
        if any(KINDS[phone] in ("vowel", "silence") for phone in group):
            assert consonants <= MOST_OF_A_WORD * length + 1e-9
