"""Taking turns: one step computes at a time in a process, and what was given up meanwhile does not begin."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType

from quincunx_shared.errors import QuincunxError


class GivenUp(QuincunxError):
    """A step waited for its turn, and is not wanted here any more: its bundle has no outcome."""


class BundleTurn(AbstractContextManager[None]):
    """The turns of one bundle. `begun` is whether it has had one, `given_up` whether it was not wanted any more."""

    def __init__(self, turn: AbstractContextManager[object], wanted: Callable[[float], bool]) -> None:
        """`wanted` is asked when a turn has come after so many seconds, and while a step waits for others."""
        self._turn = turn
        self._wanted = wanted
        self.begun = False
        self.given_up = False

    def __enter__(self) -> None:
        """Wait for the turn. Raises `GivenUp`."""
        came = time.monotonic()
        self._turn.__enter__()
        try:
            self.waiting(time.monotonic() - came)
        except BaseException:
            self._turn.__exit__(None, None, None)
            raise
        self.begun = True

    def waiting(self, seconds: float) -> None:
        """Hear that a step waits for somebody who computes the same. Raises `GivenUp`."""
        if not self._wanted(seconds):
            self.given_up = True
            raise GivenUp("its render was stopped, or its worker ends")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the next one compute."""
        self._turn.__exit__(kind, error, trace)
