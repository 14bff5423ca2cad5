"""Reports bundles that were computed, on a thread beside the computing.

A report follows the results it promises: first they are where everybody finds them, then their bundle has ended. That
takes its time on a store at the other end of a network, and the next bundle computes meanwhile. Reports travel
together, as far as they come in a moment.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from quincunx_shared.farm.work_state import BundleId, Finished, WorkState
from quincunx_workers.farm.keeper import Holding
from quincunx_workers.workbench import Workbench

#: A report waits no longer than this for others to travel with.
REPORT_SECONDS = 0.1


class Reporter:
    """Takes what was computed of one message. An error of a store is raised by the next `take`, or at the end."""

    def __init__(
        self, holding: Holding, work: WorkState, bench: Workbench, heard: Callable[[Sequence[Finished]], None]
    ) -> None:
        """`heard` is told of reports that were accepted."""
        self._holding = holding
        self._work = work
        self._bench = bench
        self._heard = heard
        self._changed = threading.Condition()
        self._waiting: list[Finished] = []
        self._unreported: tuple[BundleId, ...] = ()
        self._error: Exception | None = None
        self._closing = False
        self.ended = 0

    @property
    def unreported(self) -> tuple[BundleId, ...]:
        """The bundles that are computed and have not ended yet."""
        with self._changed:
            return self._unreported

    def take(self, finished: Finished) -> None:
        """Report a bundle soon."""
        with self._changed:
            self._raise_error()
            self._waiting.append(finished)
            self._unreported = (*self._unreported, finished.id)
            self._changed.notify_all()

    @contextmanager
    def reporting(self) -> Iterator[None]:
        """Report until the block ends, and then what is left."""
        thread = threading.Thread(target=self._run, name="quincunx-reports", daemon=True)
        thread.start()
        try:
            yield
        finally:
            with self._changed:
                self._closing = True
                self._changed.notify_all()
            thread.join()
        with self._changed:
            self._raise_error()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closing)
                if not self._waiting:
                    return
                self._changed.wait_for(lambda: self._closing, REPORT_SECONDS)
                reports, self._waiting = self._waiting, []
            try:
                self._report(reports)
            except Exception as error:  # told to whoever computes; the bundles are still held
                with self._changed:
                    self._error = error
                return

    def _report(self, reports: list[Finished]) -> None:
        holding = self._holding
        self._bench.recall.flush()
        accepted = self._work.finish(holding.render, holding.token, reports)
        reported = {one.id for one in reports}
        with self._changed:
            self.ended += len(accepted)
            self._unreported = tuple(one for one in self._unreported if one not in reported)
            holding.ids = [one for one in holding.ids if one not in reported]
        self._heard([one for one in reports if one.id in accepted])
        # Whoever waits for one of these waits a moment longer than the stage.
        self._bench.flights.land()

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error
