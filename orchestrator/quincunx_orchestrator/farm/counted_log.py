"""An event log that counts, for those who watch the farm, what plans say: the share of a song that is recalled."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from quincunx_shared.events import Event, RenderPlanned
from quincunx_shared.farm.step_counts import PLANNED_STEPS, named
from quincunx_shared.ports import EventLog


@dataclass(frozen=True)
class CountedLog:
    """A log whose plans are counted. Steps that a plan recalls never reach a worker, so nobody else could."""

    log: EventLog
    count: Callable[[Mapping[str, float]], None]

    def append(self, event: Event) -> int:
        """Add an event and return its sequence number."""
        if isinstance(event, RenderPlanned):
            numbers = {"to_run": event.to_run, "recalled": event.recalled, "unneeded": event.unneeded}
            self.count({named(PLANNED_STEPS, result): number for result, number in numbers.items() if number})
        return self.log.append(event)

    def since(self, sequence: int) -> Sequence[Event]:
        """Return the events from that sequence number on."""
        return self.log.since(sequence)
