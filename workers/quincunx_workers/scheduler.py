"""The scheduler inside a bundle: a pure state machine on what is available.

ready()        the tasks that can run now, in the order of the recipe
merged(i)      the state after task i delivered
failed(i)      the state after task i failed: its descendants will never run, everything else goes on
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from quincunx_shared.names import SegmentId
from quincunx_shared.recipe import Task


@dataclass(frozen=True)
class BundleState:
    """Which tasks wait for which others, and what became of each."""

    waits_for: tuple[frozenset[int], ...]
    started: frozenset[int] = frozenset()
    delivered: frozenset[int] = frozenset()
    lost: frozenset[int] = frozenset()

    @classmethod
    def of(cls, tasks: Sequence[Task], segment: SegmentId) -> BundleState:
        """Return the state before anything ran. Tasks wait only for tasks of their own bundle."""
        place = {task.step.id: index for index, task in enumerate(tasks)}
        return cls(tuple(frozenset(_feeders(task, segment, place)) for task in tasks))

    def ready(self) -> tuple[int, ...]:
        """The tasks that are not started and have all they wait for."""
        return tuple(
            index
            for index, needed in enumerate(self.waits_for)
            if index not in self.started and index not in self.lost and needed <= self.delivered
        )

    def start(self, index: int) -> BundleState:
        """A task was given out."""
        return replace(self, started=self.started | {index})

    def merged(self, index: int) -> BundleState:
        """A task delivered its outputs."""
        return replace(self, delivered=self.delivered | {index})

    def failed(self, index: int) -> BundleState:
        """A task failed; all that waits for it, directly or not, is lost with it."""
        lost = set(self.lost) | {index}
        for later, needed in enumerate(self.waits_for):
            # Tasks stand in topological order, so one pass reaches every descendant.
            if needed & lost:
                lost.add(later)
        return replace(self, lost=frozenset(lost))

    @property
    def done(self) -> bool:
        """Whether nothing can run any more and nothing is under way."""
        return len(self.delivered | self.lost) == len(self.waits_for)


def _feeders(task: Task, segment: SegmentId, place: dict[str, int]) -> set[int]:
    addresses = (source.address for sources in task.inputs for source in sources)
    return {
        place[one.key.node] for one in addresses if one is not None and one.segment == segment and one.key.node in place
    }
