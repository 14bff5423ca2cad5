"""Which models go when another one comes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from quincunx_shared.names import Digest
from quincunx_workers.residency import Resident, evictions


def resident(name: str, size: int, last_use: int, *, loading: bool = False) -> Resident:
    return Resident(Digest(name), size, last_use, loading)


RESIDENTS = st.lists(
    st.builds(
        Resident,
        digest=st.integers(0, 10**6).map(lambda number: Digest(str(number))),
        size_bytes=st.integers(0, 100),
        last_use=st.integers(0, 20),
        loading=st.booleans(),
    ),
    unique_by=lambda one: one.digest,
)


def test_nothing_goes_while_there_is_room() -> None:
    assert evictions([resident("a", 40, 1), resident("b", 40, 2)], 20, 100) == ()


def test_the_least_recently_used_goes_first() -> None:
    present = [resident("a", 40, 3), resident("b", 40, 1), resident("c", 20, 2)]
    assert evictions(present, 20, 100) == ("b",)
    assert evictions(present, 50, 100) == ("b", "c")


def test_a_model_that_is_loading_stays() -> None:
    assert evictions([resident("a", 90, 1, loading=True), resident("b", 10, 2)], 50, 100) == ("b",)


def test_a_model_larger_than_the_budget_drops_all_others() -> None:
    assert evictions([resident("a", 10, 1), resident("b", 10, 2)], 500, 100) == ("a", "b")


@given(RESIDENTS, st.integers(0, 200), st.integers(0, 200))
def test_it_fits_afterwards_or_nothing_more_could_go(present: list[Resident], incoming: int, budget: int) -> None:
    gone = set(evictions(present, incoming, budget))
    rest = [one for one in present if one.digest not in gone]
    fits = sum(one.size_bytes for one in rest) + incoming <= budget
    assert fits or all(one.loading for one in rest)


@given(RESIDENTS, st.integers(0, 200), st.integers(0, 200))
def test_the_last_to_go_was_needed(present: list[Resident], incoming: int, budget: int) -> None:
    gone = evictions(present, incoming, budget)
    if gone:
        spared = [one for one in present if one.digest not in gone[:-1]]
        assert sum(one.size_bytes for one in spared) + incoming > budget
