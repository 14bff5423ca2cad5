"""When phones sound: vowels on their notes, consonants before them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quincunx_shared.phonemes import NotePhonemes, Phonemes
from quincunx_workers.singing.alignment import align
from quincunx_workers.singing.frame_counts import frame_counts

HEAD = 0.5


def natural(_symbol: str) -> float:
    """Every consonant takes 80 ms."""
    return 0.08


def timeline(
    *notes: tuple[str, float, float], breath: bool = False, seconds_of: float | None = None
) -> dict[str, tuple[float, float]]:
    """Align notes written as `k A t` (nuclei in capitals), start, end; return start and end by name, made unique."""
    phonemes, times = [], []
    for text, start, end in notes:
        symbols = tuple(text.split())
        phonemes.append(NotePhonemes(symbols, tuple(at for at, one in enumerate(symbols) if one.isupper())))
        times.append((start, end))
    lasts = natural if seconds_of is None else lambda _symbol: seconds_of
    spans = align(Phonemes(tuple(phonemes)), times, lasts, head_seconds=HEAD, breath=breath)
    ends = [*(span.start for span in spans[1:]), float("inf")]
    found: dict[str, tuple[float, float]] = {}
    for span, end in zip(spans, ends, strict=True):
        name = span.symbol if span.symbol not in found else f"{span.symbol}{len(found)}"
        found[name] = (span.start, end)
    return found


def lasting(span: tuple[float, float]) -> float:
    return span[1] - span[0]


def test_a_vowel_starts_where_its_note_starts_and_its_consonant_before() -> None:
    line = timeline(("k A", 0.0, 0.5), ("t E", 0.5, 1.0))

    assert line["A"] == pytest.approx((0.0, 0.42))
    assert line["t"] == pytest.approx((0.42, 0.5))
    assert line["k"] == pytest.approx((-0.08, 0.0))
    assert line["SP"][0] == -HEAD


def test_consonants_take_less_than_half_of_the_note_before() -> None:
    line = timeline(("A", 0.0, 0.2), ("s t r E", 0.2, 1.0))

    assert line["A"][1] == pytest.approx(0.2 - 0.45 * 0.2)
    assert lasting(line["s"]) == pytest.approx(0.03)


def test_a_coda_keeps_its_share_before_a_pressed_onset() -> None:
    line = timeline(("A ng", 0.0, 0.25), ("k r E", 0.25, 1.0))

    assert lasting(line["ng"]) >= 0.05 - 1e-9
    assert lasting(line["k"]) == pytest.approx(lasting(line["r"]))
    assert line["A"][1] == pytest.approx(0.55 * 0.25)


def test_many_codas_leave_time_to_the_onset() -> None:
    line = timeline(("A n d z", 0.0, 0.25), ("k E", 0.25, 1.0))

    assert lasting(line["k"]) >= 0.4 * 0.45 * 0.25 - 1e-9


def test_a_held_vowel_lasts_over_its_notes_and_the_coda_closes_the_last() -> None:
    line = timeline(("A", 0.0, 0.5), ("", 0.5, 1.0), ("n", 1.0, 1.5), ("E", 1.5, 2.0))

    assert line["A"] == pytest.approx((0.0, 1.42))
    assert line["n"] == pytest.approx((1.42, 1.5))


def test_consonants_are_taken_from_the_last_held_note_only() -> None:
    line = timeline(("A", 0.0, 1.0), ("", 1.0, 1.1), ("s t E", 1.1, 2.0))

    assert line["A"][1] == pytest.approx(1.1 - 0.045)


def test_syllables_on_one_note_share_it() -> None:
    line = timeline(("k A t E", 0.0, 1.0))

    assert line["E"][0] == 0.5
    assert line["t"] == pytest.approx((0.42, 0.5))


def test_a_phrase_rings_on_a_little_after_its_last_note() -> None:
    line = timeline(("A t", 0.0, 1.0))

    assert line["t"][1] == pytest.approx(1.035)
    assert line["SP3"][0] == pytest.approx(1.035)


def test_consonants_after_a_rest_come_out_of_the_rest() -> None:
    line = timeline(("A n", 0.0, 0.5), ("k E", 0.8, 1.0))

    assert line["n"][1] == pytest.approx(0.5)
    assert line["SP3"] == pytest.approx((0.5, 0.72))
    assert line["k"] == pytest.approx((0.72, 0.8))


def test_a_rest_as_short_as_its_consonants_is_all_consonant() -> None:
    line = timeline(("A", 0.0, 0.5), ("k E", 0.6, 1.0))

    assert line["k"] == pytest.approx((0.5, 0.6))


def test_a_gap_too_short_to_hear_is_sung_through() -> None:
    line = timeline(("A", 0.0, 0.5), ("k E", 0.51, 1.0))

    assert line["A"][1] == line["k"][0] == pytest.approx(0.43)


def test_a_rest_note_is_silence() -> None:
    line = timeline(("A", 0.0, 0.5), ("SP", 0.5, 1.0), ("E", 1.0, 1.5))

    assert line["SP2"] == (0.5, 1.0)


def test_a_phrase_breathes_before_its_first_consonant() -> None:
    line = timeline(("k A", 0.0, 1.0), breath=True)

    assert line["AP"] == pytest.approx((-0.33, -0.08))


def test_a_phrase_without_room_does_not_breathe() -> None:
    line = timeline(("s t r A", 0.0, 1.0), breath=True, seconds_of=0.15)

    assert "AP" not in line
    assert line["s"][0] == pytest.approx(-0.45)


def test_the_head_presses_consonants_that_do_not_fit() -> None:
    line = timeline(("s t r A", 0.0, 1.0), seconds_of=0.3)

    assert lasting(line["s"]) == pytest.approx(HEAD / 3)


def test_a_phrase_that_begins_with_a_breath_does_not_breathe_twice() -> None:
    assert "AP2" not in timeline(("AP", 0.0, 0.5), ("A", 0.5, 1.0), breath=True)


def test_a_phrase_of_rests_is_one_silence() -> None:
    assert list(timeline(("SP", 0.0, 1.0))) == ["SP"]


NOTES = st.lists(
    st.tuples(
        st.sampled_from(["A", "k A", "s t r A n d", "A k E", "", "n", "SP", "AP", "m"]),
        st.sampled_from([0.0, 0.0, 0.0, 0.01, 0.06, 0.4]),
        st.floats(0.001, 2.0),
    ),
    max_size=8,
)


@given(NOTES, st.booleans(), st.floats(0.0, 1.0))
def test_time_never_runs_backwards(notes: list[tuple[str, float, float]], breath: bool, head: float) -> None:
    phonemes, times, now = [], [], 0.0
    for text, gap, length in notes:
        symbols = tuple(text.split())
        phonemes.append(NotePhonemes(symbols, tuple(at for at, one in enumerate(symbols) if one.isupper())))
        times.append((now + gap, now + gap + length))
        now += gap + length
    spans = align(Phonemes(tuple(phonemes)), times, natural, head_seconds=head, breath=breath)

    assert all(before.start <= after.start + 1e-9 for before, after in pairwise(spans))
    assert spans[0].symbol == spans[-1].symbol == "SP"
    assert spans[0].start == -head
    assert not any(before.symbol == after.symbol == "SP" for before, after in pairwise(spans))


@given(st.lists(st.integers(-50, 400), min_size=1, max_size=60), st.integers(0, 400), st.integers(1, 8))
def test_frames_are_exact_and_never_negative(boundaries: list[int], total: int, edge: int) -> None:
    counts = frame_counts(boundaries, total, edge_frames=edge)

    assert counts.dtype == np.int64
    assert counts.sum() == total
    assert counts.min() >= 0
    if total >= len(boundaries):
        assert counts.min() >= 1
    if total >= len(boundaries) + 2 * edge:
        assert min(counts[0], counts[-1]) >= edge


def test_frames_follow_the_wishes_where_they_can() -> None:
    assert frame_counts([0, 20, 30, 90], 110, edge_frames=8).tolist() == [20, 10, 60, 20]


def test_a_consonant_without_room_takes_a_frame_before_it_so_that_the_vowel_stays() -> None:
    assert frame_counts([0, 30, 50, 50, 90], 110, edge_frames=8).tolist() == [30, 19, 1, 40, 20]
