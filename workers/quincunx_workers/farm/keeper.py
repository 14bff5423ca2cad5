"""The keeper: a thread that renews leases while steps compute, hears "stop", and ends a process whose step hangs.

It also hands bundles back, as often as it takes: a lease that runs out instead counts as an attempt.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import NoReturn

from quincunx_shared.farm.work_state import LEASE_SECONDS, BundleId, Verdict, WorkState
from quincunx_shared.names import RenderId

LOG = logging.getLogger(__name__)

#: A step that says nothing for so long hangs.
STEP_SECONDS = 1800.0

#: How a process ends whose step hangs; its supervisor starts another one.
HUNG = 70

#: What could not be handed back in this time is somebody else's, or the render is over.
OWED_SECONDS = 600.0


@dataclass
class Holding:
    """Bundles this process has a lease on. `verdict` is what was last heard of them."""

    render: RenderId
    token: str
    ids: list[BundleId]
    verdict: Verdict = "go"
    last_sign: float = field(default_factory=time.monotonic)

    def sign(self) -> None:
        """A step has begun or ended."""
        self.last_sign = time.monotonic()


@dataclass(frozen=True)
class _Owed:
    """Bundles that are to be handed back."""

    render: RenderId
    token: str
    ids: tuple[BundleId, ...]
    reason: str
    until: float


def end_process(holding: Holding) -> NoReturn:
    """End this process at once. Its lease ends by itself, and the attempt counts."""
    LOG.critical("this process ends in render %s, and another one tries again", holding.render)
    logging.shutdown()
    os._exit(HUNG)


class Keeper:
    """Keeps the holdings of a process. The thread lives while there are any, and is a daemon."""

    def __init__(
        self,
        work: WorkState,
        lease_seconds: float = LEASE_SECONDS,
        step_seconds: float = STEP_SECONDS,
        hung: Callable[[Holding], None] = end_process,
        overdue: Callable[[], bool] = lambda: False,
    ) -> None:
        """`overdue` says that this process is about to be killed."""
        self._work = work
        self._beat = min(lease_seconds, step_seconds) / 3
        self._step_seconds = step_seconds
        self._hung = hung
        self._overdue = overdue
        self._owed: list[_Owed] = []
        self._changed = threading.Condition()
        self._holdings: list[Holding] = []
        self._thread: threading.Thread | None = None

    @contextmanager
    def keeping(self, render: RenderId, token: str, ids: Sequence[BundleId]) -> Iterator[Holding]:
        """Keep bundles until the block ends."""
        holding = Holding(render, token, list(ids))
        with self._changed:
            self._holdings.append(holding)
            self._be_awake()
        try:
            yield holding
        finally:
            with self._changed:
                self._holdings.remove(holding)
                self._changed.notify_all()

    def hand_back(self, holding: Holding, reason: str) -> None:
        """Let others have what is held, now or as soon as the state of the work can be reached."""
        owed = _Owed(holding.render, holding.token, tuple(holding.ids), reason, time.monotonic() + OWED_SECONDS)
        if not self._pay(owed):
            with self._changed:
                self._owed.append(owed)
                self._be_awake()

    def end_by(self, culprit: Holding, name: BundleId, why: str) -> None:
        """End this process, which is of no use any more. That counts against this bundle, if any, and no other."""
        LOG.critical("render %s: %s", culprit.render, why)
        with self._changed:
            held = list(self._holdings)
        for holding in held:
            ids = tuple(one for one in holding.ids if holding is not culprit or one != name)
            self._pay(_Owed(holding.render, holding.token, ids, why, 0.0))
        self._hung(culprit)

    def _be_awake(self) -> None:
        # It may be there, and sleep until there is something to keep.
        self._changed.notify_all()
        if self._thread is None:
            self._thread = threading.Thread(target=self._keep, name="quincunx-keeper", daemon=True)
            self._thread.start()

    def _keep(self) -> None:
        while True:
            with self._changed:
                # Idle for a while, the thread ends: a worker that waits for work costs nothing.
                if not self._changed.wait_for(lambda: self._holdings or self._owed, self._beat * 10):
                    self._thread = None
                    return
                self._changed.wait_for(lambda: not self._holdings and not self._owed, self._beat)
                held, owed = list(self._holdings), list(self._owed)
            paid = [one for one in owed if self._pay(one) or time.monotonic() > one.until]
            with self._changed:
                self._owed = [one for one in self._owed if one not in paid]
            if held:
                self._look_after(held)
            else:
                faulthandler.cancel_dump_traceback_later()

    def _look_after(self, held: list[Holding]) -> None:
        # A step that never lets go of the interpreter stops this thread, too. This timer needs no interpreter.
        faulthandler.dump_traceback_later(self._step_seconds, exit=True)
        now = time.monotonic()
        for holding in held:
            if now - holding.last_sign > self._step_seconds:
                LOG.critical("a step of render %s hangs", holding.render)
                self._hand_back_all_but(holding, held)
                self._hung(holding)
        for holding in held:
            self._renew(holding)

    def _renew(self, holding: Holding) -> None:
        ids = list(holding.ids)
        if holding.verdict != "go" or not ids:
            return
        if self._overdue():
            # Its step will hardly end before its process does. Others begin sooner, and nothing is counted.
            self.hand_back(holding, "")
            holding.verdict = "stale"
            return
        try:
            verdict = self._work.renew(holding.render, ids, holding.token)
        except Exception as error:  # whatever it is: the lease may hold until the next beat
            LOG.warning("a lease of render %s could not be renewed: %s", holding.render, error)
            return
        with self._changed:
            # All of them may have been reported while we asked.
            if holding.ids == ids:
                holding.verdict = verdict

    def _pay(self, owed: _Owed) -> bool:
        try:
            self._work.hand_back(owed.render, owed.ids, owed.token, owed.reason)
        except Exception as error:  # whatever it is: it is tried again at the next beat
            LOG.warning("bundles of render %s could not be handed back: %s", owed.render, error)
            return False
        return True

    def _hand_back_all_but(self, hung: Holding, held: list[Holding]) -> None:
        """Others compute in this process, too, and are not to blame."""
        for holding in held:
            if holding is not hung:
                with suppress(Exception):
                    self._work.hand_back(holding.render, list(holding.ids), holding.token, "")
