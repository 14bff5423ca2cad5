"""A phrase as words, and what becomes of predicted lengths in them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quincunx_shared.phonemes import NotePhonemes, Phonemes
from quincunx_workers.singing.phrase_words import RELEASE_SECONDS, words_of
from quincunx_workers.singing.prediction import filled_tones, held_to_words

SUNG = st.sampled_from(
    [
        NotePhonemes(("s", "a"), (1,)),
        NotePhonemes(("a", "n"), (0,)),
        NotePhonemes(("h", "a", "l", "o"), (1, 3)),
        NotePhonemes(),
        NotePhonemes(("d",), ()),
        NotePhonemes(("SP",), (0,)),
    ]
)


def test_words_begin_at_vowels_and_consonants_end_the_word_before() -> None:
    phonemes = Phonemes((NotePhonemes(("h", "e"), (1,)), NotePhonemes(("l", "o"), (1,)), NotePhonemes(("t",), ())))
    notes = [(0.0, 1.0), (1.0, 1.5), (1.5, 2.0)]

    words = words_of(phonemes, notes, [60, 62, 62], head_seconds=0.5, total_seconds=3.0, breath=True)

    assert words.symbols == ("SP", "AP", "h", "e", "l", "o", "t", "SP")
    assert words.counts == (3, 2, 2, 1)
    assert words.seconds == pytest.approx((0.5, 1.0, 1.0 + RELEASE_SECONDS, 0.5 - RELEASE_SECONDS))
    assert words.tones == (None, 60, 62, None)


def test_a_gap_is_a_rest_that_holds_the_consonants_behind_it() -> None:
    phonemes = Phonemes((NotePhonemes(("a",), (0,)), NotePhonemes(("k", "a"), (1,))))
    words = words_of(phonemes, [(0.0, 1.0), (1.5, 2.0)], [60, 62], head_seconds=0.5, total_seconds=3.0, breath=False)
    assert words.symbols == ("SP", "a", "SP", "k", "a", "SP")
    assert words.counts == (1, 1, 2, 1, 1)


@given(st.lists(st.tuples(SUNG, st.floats(0.05, 2.0)), min_size=1, max_size=8), st.booleans())
def test_words_fill_the_phrase_and_lose_no_phone(notes: list[tuple[NotePhonemes, float]], breath: bool) -> None:
    ends = np.cumsum([seconds for _, seconds in notes])
    spans = [(float(end - seconds), float(end)) for end, (_, seconds) in zip(ends, notes, strict=True)]
    phonemes = Phonemes(tuple(one for one, _ in notes))

    words = words_of(
        phonemes, spans, [60.0] * len(notes), head_seconds=0.5, total_seconds=float(ends[-1]) + 1, breath=breath
    )

    assert sum(words.seconds) == pytest.approx(float(ends[-1]) + 1)
    assert sum(words.counts) == len(words.symbols)
    sung = [symbol for one, _ in notes for symbol in one.symbols if symbol != "SP"]
    assert [symbol for symbol in words.symbols if symbol not in ("SP", "AP")] == sung


def test_silence_gives_way_and_consonants_behind_it_keep_their_length() -> None:
    held = held_to_words(np.array([0.1, 0.08, 0.2, 0.1]), ["SP", "k", "a", "t"], [2, 2], [0.5, 0.6])
    assert held == pytest.approx([0.42, 0.08, 0.4, 0.2])


def test_where_there_is_no_room_for_silence_all_are_pressed() -> None:
    held = held_to_words(np.array([0.1, 0.2, 0.2]), ["SP", "k", "a"], [3], [0.25])
    assert held == pytest.approx([0.05, 0.1, 0.1])


def test_a_word_predicted_to_last_no_time_is_shared_evenly() -> None:
    assert held_to_words(np.zeros(2), ["a", "t"], [2], [0.5]) == pytest.approx([0.25, 0.25])


def test_rests_have_the_tone_of_what_follows() -> None:
    assert filled_tones([None, 60, None, 62, None]) == [60, 60, 62, 62, 62]
    assert filled_tones([None, None]) == [60.0, 60.0]
