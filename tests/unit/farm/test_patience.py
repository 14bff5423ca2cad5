"""How often and how long a server is asked again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from quincunx_shared.stores.patience import LONGEST_PAUSE_SECONDS, Patience


@given(failures=st.integers(1, 10_000), chance=st.floats(0, 1, exclude_max=True))
def test_a_pause_is_never_longer_than_the_longest(failures: int, chance: float) -> None:
    assert 0 <= Patience().pause(failures, chance) <= LONGEST_PAUSE_SECONDS


def test_pauses_grow_and_depend_on_chance() -> None:
    patience = Patience()
    assert patience.pause(1, 0.5) < patience.pause(2, 0.5) < patience.pause(4, 0.5)
    assert patience.pause(3, 0.1) < patience.pause(3, 0.9)


def test_it_ends_after_the_last_retry_or_with_the_time() -> None:
    patience = Patience(seconds=10, retries=2)
    assert not patience.is_over(2, 5)
    assert patience.is_over(3, 5)
    assert patience.is_over(1, 9.9)


@given(spent=st.floats(0, 100))
def test_a_try_hears_silence_for_a_third_of_the_time_and_not_beyond_its_end(spent: float) -> None:
    silence = Patience(seconds=9).silence(spent)
    assert silence <= 3
    assert silence <= max(0.2, 9 - spent)
