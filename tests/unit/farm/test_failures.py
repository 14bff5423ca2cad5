"""Which failures of a job stand when all its events were heard."""

from __future__ import annotations

from quincunx_orchestrator.cli.farm.failures import Failures
from quincunx_shared.events import Event, RenderPlanned, StepFailed, StepRan
from quincunx_shared.names import RenderId, SegmentId

P1, P2 = SegmentId("p1"), SegmentId("p2")
PLANNED = RenderPlanned(RenderId("r"), 2, 0, 0)


def standing(*events: Event) -> list[tuple[str, str]]:
    failures = Failures()
    for event in events:
        failures.hear(event)
    return [(one.segment, one.error) for one in failures.last.values()]


def test_what_failed_twice_is_one_failure() -> None:
    first, second = StepFailed(P1, "pitch", "no model"), StepFailed(P1, "pitch", "still no model")
    assert standing(PLANNED, first, StepFailed(P2, "pitch", "no"), second) == [("p1", "still no model"), ("p2", "no")]


def test_what_came_through_later_has_not_failed() -> None:
    failed = StepFailed(P1, "pitch", "no model")
    assert standing(PLANNED, failed, StepRan(P1, "pitch", "new", 0.1)) == []
    assert standing(PLANNED, failed, PLANNED) == []
