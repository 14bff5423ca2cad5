"""Who works on what: the durable state of every bundle of a render. Messages are hints; this decides.

    released ──lease──► leased ──begin──► begun ──finish──► ended
        ▲                  │                 │
        └── lease ran out, or handed back ◄──┘

A lease lasts a while in the time of the one who keeps the state, and is renewed. Its token fences: whoever lost a
bundle to somebody else changes nothing any more. A bundle is named `generation/segment/recipe`; a generation is one
attempt of a coordinator to see the render through, and a newer one forgets the bundles of the older. How often a
bundle was begun and not ended is counted by segment and recipe, over all generations; one that a newer generation
interrupts in the hands of a worker does not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from quincunx_shared.events import Event
from quincunx_shared.names import Address, RenderId
from quincunx_shared.payload import ParamRef

#: `generation/segment/recipe`
BundleId: TypeAlias = str

#: What a worker hears about a bundle it holds. "alone": it was begun before and never ended, and is not begun now; ask
#: again when nothing else computes in this process, which it might end. "stop": the render ended, was cancelled or
#: superseded, or is seen through anew. "stale": the bundle is somebody else's now, or has ended. "quarantined": it was
#: begun too often.
Verdict: TypeAlias = Literal["go", "alone", "stop", "stale", "quarantined"]

#: A bundle that was begun so often and never ended kills its workers; it is not run again.
MOST_ATTEMPTS = 3

#: In the time of the one who keeps the state; renewed every third of it.
LEASE_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Grant:
    """The bundles a worker was given, with their content. Not `open`: nobody works on this render any more."""

    token: str
    bundles: Mapping[BundleId, bytes] = field(default_factory=dict)
    open: bool = True


@dataclass(frozen=True, slots=True)
class Finished:
    """What a worker reports of a bundle: its outcome for the coordinator, its exports for the board, its events."""

    id: BundleId
    outcome: bytes
    exports: Mapping[Address, ParamRef] = field(default_factory=dict)
    events: Sequence[Event] = ()


class WorkState(Protocol):
    """The state of the bundles of all renders. Every call may be repeated after its answer was lost."""

    def release(self, render: RenderId, generation: int, bundles: Mapping[BundleId, bytes]) -> bool:
        """Open bundles, anew if they had ended. False, and nothing changes, after `stop` or in an older generation."""

    def suspend(self, render: RenderId, generation: int) -> None:
        """Have nothing of this attempt, or of an older one, begun or released any more. The next one may be."""

    def lease(self, render: RenderId, ids: Sequence[BundleId], worker: str) -> Grant:
        """Take those of the bundles that are open and in nobody's hands."""

    def begin(
        self,
        render: RenderId,
        bundles: Sequence[BundleId],
        token: str,
        *,
        survived: Sequence[BundleId] = (),
        alone: bool = False,
    ) -> tuple[Verdict, ...]:
        """Ask before computing bundles, and count the attempts; `survived` are computed and not reported yet.

        `alone` says that nothing else computes in this process until they have ended.

        Returns a verdict on each of the first bundles, on one at least, as far as they may be begun together: bundles
        that are quick save a question each, and one that was begun before and never ended is never among others.
        A worker that dies counts against what it had begun, not against what it only had not reported.
        """

    def finish(self, render: RenderId, token: str, finished: Sequence[Finished]) -> frozenset[BundleId]:
        """End bundles, each at once with its exports on the board and its events in the log; return what was accepted.

        Neither a stale token nor a report that comes twice changes anything.
        """

    def tell(self, render: RenderId, worker: str, event: Event) -> None:
        """Add to the events of a render how far a step is, unless the render is over."""

    def hand_back(self, render: RenderId, ids: Sequence[BundleId], token: str, reason: str = "") -> None:
        """Let others have bundles; that is no attempt. A reason is kept for those who ask what the render waits for."""

    def leave(self, render: RenderId, ids: Sequence[BundleId]) -> None:
        """Tell that a message which named these was taken from its queue and not followed."""

    def renew(self, render: RenderId, ids: Sequence[BundleId], token: str) -> Verdict:
        """Keep bundles for another while. "stale" if none of them is ours any more."""

    def outcomes(self, render: RenderId, ids: Iterable[BundleId]) -> Mapping[BundleId, bytes]:
        """What became of those that have ended."""

    def unclaimed(self, render: RenderId, ids: Iterable[BundleId]) -> set[BundleId]:
        """Those that are open and in nobody's hands."""

    def unknown(self, render: RenderId, ids: Iterable[BundleId]) -> set[BundleId]:
        """Those that neither are open nor have ended: never released, or forgotten by the one who keeps the state."""

    def returned(self, render: RenderId) -> Mapping[BundleId, int]:
        """How often bundles that are still open were handed back or left, since they were first released.

        Whoever sends messages sends another one when the number has grown: that message is gone from its queue.
        """

    def in_hand(self, render: RenderId) -> int:
        """How many bundles somebody works on."""

    def refusals(self, render: RenderId) -> Mapping[BundleId, str]:
        """Why workers handed back bundles that are still open."""

    def stop(self, render: RenderId) -> None:
        """Have nothing begun or ended any more, and keep nothing else: the render was cancelled or superseded."""

    def close(self, render: RenderId) -> None:
        """Forget the render, but for an hour that it is over; its board and its events stay.

        Workers that still hold some of it hear "stop", and a coordinator that has not heard yet releases nothing more.
        """


def origin_of(bundle: BundleId) -> str:
    """What attempts are counted by: the segment and the recipe, whatever the generation."""
    return bundle.partition("/")[2]


def generation_of(bundle: BundleId) -> int:
    """The generation in a bundle's name."""
    return int(bundle.partition("/")[0])
