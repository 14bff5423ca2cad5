"""The state of the bundles in memory: whole, thread-safe, and gone with the process."""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from quincunx_shared.events import Event, stamped
from quincunx_shared.farm.work_state import (
    LEASE_SECONDS,
    MOST_ATTEMPTS,
    BundleId,
    Finished,
    Grant,
    Verdict,
    generation_of,
    origin_of,
)
from quincunx_shared.names import RenderId
from quincunx_shared.ports import Blackboard, Clock, EventLog


@dataclass
class _Lease:
    token: str
    until: float
    worker: str
    #: Counted as an attempt that has not been survived yet.
    counted: bool = False


@dataclass
class _Render:
    generation: int = 0
    stopped: bool = False
    open: dict[BundleId, bytes] = field(default_factory=dict)
    leases: dict[BundleId, _Lease] = field(default_factory=dict)
    #: Who ended a bundle, and what came of it.
    ended: dict[BundleId, tuple[str, bytes]] = field(default_factory=dict)
    attempts: dict[str, int] = field(default_factory=dict)
    refusals: dict[BundleId, str] = field(default_factory=dict)
    returned: Counter[BundleId] = field(default_factory=Counter)

    def forget(self, bundle: BundleId) -> None:
        """Let go of whatever was known of a bundle but its attempts."""
        for known in (self.open, self.leases, self.ended, self.refusals):
            known.pop(bundle, None)

    def before(self, bundle: BundleId) -> int:
        """How often others have begun a bundle that is leased, and not ended it."""
        return self.attempts.get(origin_of(bundle), 0) - self.leases[bundle].counted

    def spare(self, bundle: BundleId) -> None:
        """Take back the attempt that was counted for a lease."""
        lease, origin = self.leases[bundle], origin_of(bundle)
        if lease.counted:
            lease.counted = False
            self.attempts[origin] = max(self.attempts.get(origin, 0) - 1, 0)


class MemoryWorkState:
    """Work states in dictionaries. `board` and `log` are those of a render."""

    def __init__(
        self,
        clock: Clock,
        board: Callable[[RenderId], Blackboard],
        log: Callable[[RenderId], EventLog],
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self._clock = clock
        self._board = board
        self._log = log
        self._lease_seconds = lease_seconds
        self._guard = threading.RLock()
        self._renders: dict[RenderId, _Render] = {}

    def release(self, render: RenderId, generation: int, bundles: Mapping[BundleId, bytes]) -> bool:
        """Open bundles."""
        with self._guard:
            known = self._renders.setdefault(render, _Render(generation))
            if known.stopped or known.generation > generation:
                return False
            if known.generation < generation:
                for bundle in [one for one in known.leases if self._is_leased(known, one)]:
                    known.spare(bundle)
                known = self._renders[render] = _Render(generation, attempts=known.attempts)
            for bundle, content in bundles.items():
                if known.open.get(bundle) != content or not self._is_leased(known, bundle):
                    known.forget(bundle)
                    known.open[bundle] = content
            return True

    def suspend(self, render: RenderId, generation: int) -> None:
        """Begin the next generation, with nothing in it."""
        self.release(render, generation + 1, {})

    def lease(self, render: RenderId, ids: Sequence[BundleId], worker: str) -> Grant:
        """Take what is free."""
        token = uuid.uuid4().hex
        with self._guard:
            known = self._renders.get(render)
            if known is None or known.stopped:
                return Grant(token, open=False)
            free = [one for one in dict.fromkeys(ids) if one in known.open and not self._is_leased(known, one)]
            known.leases.update({one: _Lease(token, self._until(), worker) for one in free})
            return Grant(token, {one: known.open[one] for one in free})

    def begin(
        self,
        render: RenderId,
        bundles: Sequence[BundleId],
        token: str,
        *,
        survived: Sequence[BundleId] = (),
        alone: bool = False,
    ) -> tuple[Verdict, ...]:
        """Count the attempts, and say whether to go on."""
        with self._guard:
            known = self._renders.get(render)
            if known is None or known.stopped or generation_of(bundles[0]) < known.generation:
                return ("stop",)
            for one in survived:
                if _holds(known, one, token):
                    known.spare(one)
            verdicts = [self._begin(known, bundles[0], token, alone=alone)]
            for one in bundles[1:]:
                if verdicts[-1] != "go" or not _holds(known, one, token) or known.before(one):
                    break
                verdicts.append(self._begin(known, one, token, alone=alone))
            return tuple(verdicts)

    def _begin(self, known: _Render, bundle: BundleId, token: str, *, alone: bool) -> Verdict:
        if not _holds(known, bundle, token):
            return "stale"
        lease, before = known.leases[bundle], known.before(bundle)
        lease.until = self._until()
        if before >= MOST_ATTEMPTS:
            return "quarantined"
        if before and not alone:
            return "alone"
        lease.counted = True
        known.attempts[origin_of(bundle)] = before + 1
        return "go"

    def finish(self, render: RenderId, token: str, finished: Sequence[Finished]) -> frozenset[BundleId]:
        """End bundles."""
        with self._guard:
            return frozenset(one.id for one in finished if self._end(render, token, one))

    def tell(self, render: RenderId, worker: str, event: Event) -> None:
        """Add to the events."""
        with self._guard:
            known = self._renders.get(render)
            if known is not None and not known.stopped:
                self._log(render).append(stamped(event, self._clock.now(), worker))

    def hand_back(self, render: RenderId, ids: Sequence[BundleId], token: str, reason: str = "") -> None:
        """Let others have them."""
        with self._guard:
            known = self._renders.get(render, _Render())
            for one in [one for one in ids if _holds(known, one, token)]:
                known.spare(one)
                del known.leases[one]
                known.returned[one] += 1
                if reason:
                    known.refusals[one] = reason

    def leave(self, render: RenderId, ids: Sequence[BundleId]) -> None:
        """Tell that they lie in no queue."""
        with self._guard:
            known = self._renders.get(render, _Render())
            known.returned.update(one for one in ids if one in known.open and not self._is_leased(known, one))

    def renew(self, render: RenderId, ids: Sequence[BundleId], token: str) -> Verdict:
        """Keep them."""
        with self._guard:
            known = self._renders.get(render)
            if known is None or known.stopped:
                return "stop"
            held = [one for one in ids if _holds(known, one, token)]
            for one in held:
                known.leases[one].until = self._until()
            if held:
                return "go"
            return "stop" if any(generation_of(one) < known.generation for one in ids) else "stale"

    def outcomes(self, render: RenderId, ids: Iterable[BundleId]) -> Mapping[BundleId, bytes]:
        """What has ended."""
        with self._guard:
            known = self._renders.get(render, _Render())
            return {one: known.ended[one][1] for one in ids if one in known.ended}

    def unclaimed(self, render: RenderId, ids: Iterable[BundleId]) -> set[BundleId]:
        """What nobody has."""
        with self._guard:
            known = self._renders.get(render, _Render())
            return {one for one in ids if one in known.open and not self._is_leased(known, one)}

    def unknown(self, render: RenderId, ids: Iterable[BundleId]) -> set[BundleId]:
        """What is neither open nor over."""
        with self._guard:
            known = self._renders.get(render, _Render())
            return {one for one in ids if one not in known.open and one not in known.ended}

    def returned(self, render: RenderId) -> Mapping[BundleId, int]:
        """How often they came back."""
        with self._guard:
            return dict(self._renders.get(render, _Render()).returned)

    def in_hand(self, render: RenderId) -> int:
        """How many bundles somebody has."""
        with self._guard:
            known = self._renders.get(render, _Render())
            return sum(self._is_leased(known, one) for one in known.leases)

    def refusals(self, render: RenderId) -> Mapping[BundleId, str]:
        """Why bundles were handed back."""
        with self._guard:
            return dict(self._renders.get(render, _Render()).refusals)

    def stop(self, render: RenderId) -> None:
        """Accept nothing more."""
        with self._guard:
            known = self._renders.get(render, _Render())
            self._renders[render] = _Render(known.generation, stopped=True)

    def close(self, render: RenderId) -> None:
        """Forget it but for its end."""
        self.stop(render)

    def _end(self, render: RenderId, token: str, one: Finished) -> bool:
        known = self._renders.get(render)
        if known is None or known.stopped:
            return False
        if not _holds(known, one.id, token):
            return known.ended.get(one.id, ("", b""))[0] == token
        worker = known.leases[one.id].worker
        known.forget(one.id)
        known.returned.pop(one.id, None)
        known.attempts.pop(origin_of(one.id), None)
        known.ended[one.id] = (token, one.outcome)
        self._board(render).put(one.exports)
        for event in one.events:
            self._log(render).append(stamped(event, self._clock.now(), worker))
        return True

    def _is_leased(self, known: _Render, bundle: BundleId) -> bool:
        lease = known.leases.get(bundle)
        return lease is not None and lease.until > self._clock.now()

    def _until(self) -> float:
        return self._clock.now() + self._lease_seconds


def _holds(known: _Render, bundle: BundleId, token: str) -> bool:
    """Whether the bundle was last leased under this token. One whose time is up is kept until somebody else asks."""
    lease = known.leases.get(bundle)
    return lease is not None and lease.token == token
