"""Messages: every bundle once and in order, of one recipe, and shares that let all workers end together."""

from __future__ import annotations

import heapq

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quincunx_orchestrator.farm.chunking import MESSAGE_SECONDS, MOST_BUNDLES, chunks, seconds_of
from quincunx_shared.names import SegmentId, Signature
from quincunx_shared.recipe import Bundle, RecipeStep, Task


def bundle(number: int, recipe: str = "cpu", steps: int = 1) -> Bundle:
    tasks = tuple(Task(RecipeStep(f"n{place}", "toy", {}, (), ("y",)), Signature(""), ()) for place in range(steps))
    return Bundle(SegmentId(f"p{number}"), recipe, 0, "cpu", tasks)


@given(st.lists(st.sampled_from("ab")), st.floats(0, 3), st.integers(0, 64))
def test_every_bundle_once_in_order_and_of_one_recipe(recipes: list[str], seconds: float, slots: int) -> None:
    bundles = [bundle(number, recipe) for number, recipe in enumerate(recipes)]
    found = chunks(bundles, {"toy": seconds}, slots)
    assert [one for chunk in found for one in chunk] == bundles
    for chunk in found:
        assert len({one.recipe for one in chunk}) == 1
        assert len(chunk) <= MOST_BUNDLES
        assert sum(seconds_of(one, {"toy": seconds}) for one in chunk[:-1]) < MESSAGE_SECONDS + 1e-9


@pytest.mark.parametrize(("seconds", "slots"), [(0.0005, 2), (0.02, 2), (0.02, 8), (1.0, 3)])
def test_all_workers_end_at_about_the_same_time(seconds: float, slots: int) -> None:
    bundles = [bundle(number, steps=4) for number in range(100)]
    busy = [0.0] * slots
    for chunk in chunks(bundles, {"toy": seconds}, slots):
        heapq.heapreplace(busy, busy[0] + len(chunk) * 4 * seconds)
    assert max(busy) <= 1.06 * 400 * seconds / slots + 4 * seconds


def test_short_bundles_travel_together_and_long_ones_alone() -> None:
    bundles = [bundle(number) for number in range(1000)]
    assert len(chunks(bundles, {"toy": 0.0001}, 2)) < 40
    assert len(chunks(bundles, {"toy": 1.0}, 2)) == 1000
