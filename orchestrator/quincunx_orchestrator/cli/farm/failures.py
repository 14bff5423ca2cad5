"""Which steps of a job have failed, by its events: those that came through in a later attempt have not."""

from __future__ import annotations

from quincunx_shared.events import Event, RenderPlanned, StepFailed, StepRan, StepRecalled
from quincunx_shared.names import SegmentId


class Failures:
    """Hears the events of a job. `last` holds the failures that stand, by step."""

    def __init__(self) -> None:
        self.last: dict[tuple[SegmentId, str], StepFailed] = {}

    def hear(self, event: Event) -> None:
        """Take note of an event."""
        if isinstance(event, StepFailed):
            self.last[event.segment, event.node] = event
        elif isinstance(event, StepRan | StepRecalled):
            self.last.pop((event.segment, event.node), None)
        elif isinstance(event, RenderPlanned):
            # Another attempt tries again what failed in the one before.
            self.last.clear()
