"""What is counted of a bundle."""

from __future__ import annotations

from quincunx_shared.events import Event, StepFailed, StepProgressed, StepRan, StepRecalled, StepSkipped
from quincunx_shared.farm.step_counts import STEP_BOUNDS, counts_of, duration, pace_of, waited
from quincunx_shared.names import SegmentId, Signature
from quincunx_shared.recipe import Bundle, RecipeStep, Task

S1 = SegmentId("s1")


def task(node: str, step: str) -> Task:
    return Task(RecipeStep(node, step, {}, (), ()), Signature("0"), ())


BUNDLE = Bundle(S1, "gpu", 1, "gpu", (task("a", "acoustic"), task("v", "vocoder"), task("w", "vocoder")))


def test_steps_are_counted_by_what_they_are_not_by_their_place() -> None:
    events: list[Event] = [StepRan(S1, "a", "new", 0.3), StepRecalled(S1, "v", "call"), StepRan(S1, "w", "new", 0.001)]
    counts = counts_of(BUNDLE, events)
    assert counts["steps|acoustic|ran"] == 1
    assert counts["steps|vocoder|ran"] == 1
    assert counts["steps|vocoder|recalled"] == 1
    assert counts["step_seconds|acoustic|0.5"] == 1
    assert counts["step_seconds|acoustic|sum"] == 0.3


def test_failures_and_those_that_fell_with_them_are_told_apart() -> None:
    events: list[Event] = [StepFailed(S1, "a", "no"), StepSkipped(S1, "v", "a"), StepSkipped(S1, "w", "a")]
    assert counts_of(BUNDLE, events) == {"steps|acoustic|failed": 1, "steps|vocoder|skipped": 2}


def test_progress_and_strangers_count_for_nothing() -> None:
    assert counts_of(BUNDLE, [StepProgressed(S1, "a", 50, ""), StepRan(S1, "elsewhere", "", 1.0)]) == {}


def test_a_duration_falls_into_the_first_bound_that_holds_it() -> None:
    assert duration("t", 0.002, STEP_BOUNDS) == {"t|0.002": 1, "t|sum": 0.002}
    assert duration("t", 1e6, STEP_BOUNDS) == {"t|inf": 1, "t|sum": 1e6}
    assert duration("t", -1.0, STEP_BOUNDS)["t|sum"] == 0.0


def test_the_pace_of_a_step_is_its_average() -> None:
    counts = {**duration("step_seconds|mix", 1.0, STEP_BOUNDS), "step_seconds|mix|30": 1, "step_seconds|mix|sum": 21.0}
    assert pace_of({**counts, "steps|mix|ran": 9, "step_seconds|odd|sum": 1.0}) == {"mix": 10.5}


def test_a_wait_is_counted_by_its_queue() -> None:
    assert set(waited("quincunx.gpu.user", 0.2)) == {
        "queue_wait_seconds|gpu|user|0.5",
        "queue_wait_seconds|gpu|user|sum",
    }
    assert set(waited("", 0.2)) == {"queue_wait_seconds|||0.5", "queue_wait_seconds|||sum"}
