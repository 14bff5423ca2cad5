"""Runs stages on the farm: releases their bundles, sends messages that name them, and waits until all have ended.

A message is a hint; what is to be done lies in the work state. So whatever becomes of messages, workers or brokers,
one rule mends it: what is open, in nobody's hands and no longer on its way is sent again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Protocol

from quincunx_orchestrator.farm.chunking import chunks
from quincunx_orchestrator.farm.job import PRIORITIES, Priority
from quincunx_orchestrator.farm.lookout import Lookout
from quincunx_orchestrator.farm.outdated import COMING_SECONDS, Outdated
from quincunx_orchestrator.farm.redrive import TICK_SECONDS, Seen, Sent, is_lost
from quincunx_orchestrator.farm.wake import RenderStopped, Wake
from quincunx_shared.canonical import digest_of_bytes
from quincunx_shared.errors import BlobsLost
from quincunx_shared.farm.wire import bundle_to_json, outcome_from_json
from quincunx_shared.farm.work_state import WorkState
from quincunx_shared.names import Digest, RenderId, SegmentId
from quincunx_shared.outcome import BundleOutcome
from quincunx_shared.payload import ParamRef
from quincunx_shared.ports import Blackboard
from quincunx_shared.recipe import Bundle

LOG = logging.getLogger(__name__)


class InputsLost(BlobsLost):
    """What the order reads from outside is gone from the store: only who submitted it can bring it again."""


@dataclass(frozen=True)
class Message:
    """What one message to a worker says: which bundles of a render, and what they hold, by digest."""

    render: RenderId
    generation: int
    cluster: str
    priority: Priority
    bundles: tuple[str, ...]
    digests: tuple[Digest, ...]
    #: For people who watch the queues.
    title: str


class Post(Protocol):
    """Brings messages to workers."""

    def send(self, messages: Sequence[Message]) -> None:
        """Send the messages of a stage; when all have been worked off, the sender hears of it."""

    def is_waiting(self, message: Message) -> bool:
        """Whether there may be unread messages before this one or it itself is unread: so it is not lost."""

    def outdated(self, bundle: Bundle) -> str:
        """Why no worker will ever take a bundle; empty if one may."""

    def slots(self, cluster: str) -> int:
        """How many bundles of this class of machine can run at once."""


@dataclass
class FarmDispatcher:
    """Dispatches the stages of one render of one coordinator; `generation` names this attempt to see it through.

    `pace` holds the seconds each step is known to take. Lanes may dispatch at the same time.
    """

    render: RenderId
    generation: int
    work: WorkState
    post: Post
    wake: Wake
    pace: Mapping[str, float] = field(default_factory=dict)
    #: What the order reads from outside.
    inputs: AbstractSet[Digest] = frozenset()
    #: What a person calls a segment.
    labels: Mapping[SegmentId, str] = field(default_factory=dict)
    clock: Callable[[], float] = time.monotonic
    #: Hears of how many bundles had to be sent again.
    redriven: Callable[[int], None] = lambda _: None

    def __post_init__(self) -> None:
        self.lookout = Lookout(self.wake, lambda names: self.work.outcomes(self.render, names))

    def announce(self, stages: Sequence[Sequence[Bundle]], recalled: Iterable[ParamRef]) -> None:
        """Models are loaded by whoever first needs them; what cannot be loaded fails its phrase alone."""

    def run_stage(self, bundles: Sequence[Bundle], board: Blackboard) -> Iterator[BundleOutcome]:  # noqa: ARG002 - workers have the board by the render's name
        """Return the outcomes in the order of the bundles. Raises `RenderStopped`, `InputsLost` and `Outdated`."""
        if not bundles:
            return iter(())
        stage = _Stage(self, {self.name_of(bundle): bundle for bundle in bundles})
        stage.send(stage.open)
        while stage.open:
            stage.look()
        lost = self.inputs & {digest for outcome in stage.ended.values() for digest in outcome.lost}
        if lost:
            raise InputsLost(sorted(lost))
        return iter([stage.ended[name] for name in stage.bundles])

    def name_of(self, bundle: Bundle) -> str:
        """Name a bundle within the render; another attempt gives other names."""
        return f"{self.generation}/{bundle.segment}/{bundle.recipe}"


class _Stage:
    """A stage under way."""

    def __init__(self, dispatcher: FarmDispatcher, bundles: Mapping[str, Bundle]) -> None:
        self.bundles = bundles
        self.open = dict.fromkeys(bundles)
        self.ended: dict[str, BundleOutcome] = {}
        self._farm = dispatcher
        self._contents = {name: bundle_to_json(bundle) for name, bundle in bundles.items()}
        self._messages: dict[str, Message] = {}
        self._sent: dict[str, Sent] = {}
        self._returned: Mapping[str, int] = {}
        self._claimed: set[str] = set()
        #: Since when nobody is there who could take bundles of a recipe.
        self._unfit_since: dict[str, float] = {}
        self._swept = dispatcher.clock()
        #: By class of machine and priority, whether messages wait, as far as it was asked in this sweep.
        self._waiting: dict[tuple[str, Priority], bool] = {}
        self._release(self._contents)
        # Not before: of a stage that is run again the old ends are known until then.
        self._ear = dispatcher.lookout.listen(bundles)

    def send(self, names: Iterable[str], priority: Priority | None = None) -> None:
        """Send messages that name these bundles, in the render's own class unless told otherwise."""
        farm = self._farm
        by_cluster: dict[str, list[str]] = {}
        for name in names:
            by_cluster.setdefault(self.bundles[name].cluster, []).append(name)
        messages = [
            self._message(cluster, chunk, priority or farm.wake.priority)
            for cluster, some in by_cluster.items()
            for chunk in chunks([self.bundles[name] for name in some], farm.pace, farm.post.slots(cluster))
        ]
        for message in messages:
            self._messages.update(dict.fromkeys(message.bundles, message))
            self._sent.update({name: Sent(farm.clock(), self._returned.get(name, 0)) for name in message.bundles})
        farm.post.send(messages)

    def look(self) -> None:
        """Wait for news, take in what has ended, and send again what is lost."""
        farm = self._farm
        found = farm.lookout.news(self._ear, TICK_SECONDS)
        if farm.wake.stopped:
            raise RenderStopped(farm.wake.stopped)
        for name, content in found.items():
            self.ended[name] = outcome_from_json(self.bundles[name], content)
            del self.open[name]
        now = farm.clock()
        # A render is woken far more often than that while many of its stages are under way.
        if self.open and now - self._swept > TICK_SECONDS:
            self._swept = now
            self._send_lost(now)

    def _send_lost(self, now: float) -> None:
        """Send again what nobody has: at once where somebody had it and died, else when its message must be lost."""
        farm = self._farm
        self._waiting = {}
        unclaimed = farm.work.unclaimed(farm.render, self.open)
        unknown = farm.work.unknown(farm.render, [name for name in self.open if name not in unclaimed])
        if unknown:
            # Redis came back without its last words, or nobody asked for the render for a week.
            self._release({name: self._contents[name] for name in self.open if name in unknown})
        self._returned = farm.work.returned(farm.render) if unclaimed else {}
        lost = [name for name in self.open if name in unknown or (name in unclaimed and self._is_late(name, now))]
        self._ask_whether_any_fits([name for name in lost if self._returned.get(name)], now)
        interrupted = [name for name in lost if name in self._claimed]
        self._claimed = {name for name in self.open if name not in unclaimed and name not in unknown}
        if lost:
            LOG.info("%d bundles are sent again: nobody has them", len(lost))
            farm.redriven(len(lost))
            # Before all that waits: who was interrupted has waited already.
            self.send(interrupted, "system")
            self.send([name for name in lost if name not in interrupted])

    def _ask_whether_any_fits(self, returned: Sequence[str], now: float) -> None:
        """Ask of one kind each of the bundles that came back. Raises `Outdated` if nobody came who could take it."""
        kinds = {self.bundles[name].recipe: self.bundles[name] for name in returned}
        for recipe, bundle in kinds.items():
            if not (why := self._farm.post.outdated(bundle)):
                self._unfit_since.pop(recipe, None)
            elif now - self._unfit_since.setdefault(recipe, now) >= COMING_SECONDS:
                raise Outdated(why)

    def _is_late(self, name: str, now: float) -> bool:
        if PRIORITIES.index(self._farm.wake.priority) < PRIORITIES.index(self._messages[name].priority):
            # Its job was put into a higher class; the message stays where it is, and finds nothing to do.
            return True
        seen = Seen(name in self._claimed, self._returned.get(name, 0))
        return is_lost(self._sent[name], seen, now, lambda: self._is_waiting(self._messages[name]))

    def _is_waiting(self, message: Message) -> bool:
        """Ask of every queue once a sweep, not for every bundle that may lie in it."""
        queue = (message.cluster, message.priority)
        if queue not in self._waiting:
            self._waiting[queue] = self._farm.post.is_waiting(message)
        return self._waiting[queue]

    def _release(self, contents: Mapping[str, bytes]) -> None:
        """Open bundles. Raises `RenderStopped`, also where it was stopped while the stage was planned."""
        farm = self._farm
        if farm.wake.stopped:
            raise RenderStopped(farm.wake.stopped)
        if not farm.work.release(farm.render, farm.generation, contents):
            raise RenderStopped("the render was stopped, or is seen through by somebody else")

    def _message(self, cluster: str, chunk: Sequence[Bundle], priority: Priority) -> Message:
        farm = self._farm
        names = tuple(map(farm.name_of, chunk))
        digests = tuple(digest_of_bytes(self._contents[name]) for name in names)
        first = farm.labels.get(chunk[0].segment, chunk[0].segment)
        phrases = first if len(chunk) == 1 else f"{first} and {len(chunk) - 1} more"
        # Counted from 1, as everywhere where a person reads of stages.
        title = f"render {farm.render[:8]}, stage {chunk[0].level + 1}, {chunk[0].recipe}: {phrases}"
        return Message(farm.render, farm.generation, cluster, priority, names, digests, title)
