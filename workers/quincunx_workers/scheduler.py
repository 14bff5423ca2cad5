"""The scheduler inside a bundle: a pure state machine on what is available.

ready()        the tasks that can run now, in the order of the recipe
merged(i)      the state after task i delivered
failed(i)      the state after task i failed: its descendants will never run, everything else goes on
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from quincunx_shared.names import SegmentId
from quincunx_shared.recipe import Task


@dataclass(frozen=True)
class BundleState:
    """Which tasks wait for which others, and what became of each.

    `spares` are those a task waits for but can go on without. `lost` says of a task that will never deliver which
    task's failure it fell with; one that failed itself stands for itself.
    """

    waits_for: tuple[frozenset[int], ...]
    spares: tuple[frozenset[int], ...]
    started: frozenset[int] = frozenset()
    delivered: frozenset[int] = frozenset()
    lost: Mapping[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, tasks: Sequence[Task], segment: SegmentId) -> BundleState:
        """Return the state before anything ran. Tasks wait only for tasks of their own bundle."""
        place = {task.step.id: index for index, task in enumerate(tasks)}
        needed = [_feeders(task, segment, place, spared=False) for task in tasks]
        spared = [_feeders(task, segment, place, spared=True) for task in tasks]
        return cls(
            tuple(hard | soft for hard, soft in zip(needed, spared, strict=True)),
            tuple(soft - hard for hard, soft in zip(needed, spared, strict=True)),
        )

    def ready(self) -> tuple[int, ...]:
        """The tasks that are not started and have all they wait for, or can go on without it."""
        return tuple(
            index
            for index, needed in enumerate(self.waits_for)
            if index not in self.started
            and index not in self.lost
            and all(one in self.delivered or one in self.lost for one in needed)
        )

    def start(self, index: int) -> BundleState:
        """A task was given out."""
        return replace(self, started=self.started | {index})

    def merged(self, index: int) -> BundleState:
        """A task delivered its outputs."""
        return replace(self, delivered=self.delivered | {index})

    def failed(self, index: int, *, spare: bool = True) -> BundleState:
        """A task failed; all that cannot do without it, directly or not, is lost with it.

        Without `spare`, what could go on without it is lost too: the failure is one that will be repaired.
        """
        lost = {**self.lost, index: index}
        for later in range(index + 1, len(self.waits_for)):
            # Tasks stand in topological order, so one pass reaches every descendant.
            missed = self.waits_for[later] & lost.keys() - (self.spares[later] if spare else frozenset())
            if missed and lost.get(later) != later:
                # The first of several culprits, whichever of them failed first.
                lost[later] = min(lost[one] for one in missed)
        return replace(self, lost=lost)

    @property
    def done(self) -> bool:
        """Whether nothing can run any more and nothing is under way."""
        return len(self.delivered) + len(self.lost) == len(self.waits_for)


def _feeders(task: Task, segment: SegmentId, place: Mapping[str, int], *, spared: bool) -> frozenset[int]:
    addresses = (
        source.address
        for feed, sources in zip(task.step.feeds, task.inputs, strict=True)
        if feed.spares == spared
        for source in sources
    )
    return frozenset(
        place[one.key.node] for one in addresses if one is not None and one.segment == segment and one.key.node in place
    )
