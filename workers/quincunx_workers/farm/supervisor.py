"""Keeps a worker running: starts it again when it dies, and ends it when asked, by force if it must.

A worker may end at any moment, by a step that kills it or a library that breaks. Whoever started us need not know.

A worker is a fork: what takes most of its start, to import libraries, is done here once. So it is back within a moment,
and a farm whose workers die together does not spend its processors on starting them.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType

#: The first pause before a worker is started again, the longest, and how long one must live to count as well: longer
#: than it takes to find out that something is missing.
FIRST_PAUSE, LONGEST_PAUSE, WELL_SECONDS = 0.1, 5.0, 5.0

#: The longest pause after it was killed from outside, which says nothing about the next one.
KILLED_PAUSE = 0.4

#: Told to end, a worker hands back what it cannot finish; after this time it is killed. Shorter than the grace that
#: containers and units give us.
END_SECONDS = 50.0

#: How often to look whether it died, and whether its time is over: a signal ends no wait.
LOOK_SECONDS = 0.1

_PR_SET_PDEATHSIG = 1

#: Wrong settings, and a user that Redis does not let in, do not get better by trying.
_BAD_INPUT, _REFUSED = 2, 4

_ENDING = (signal.SIGTERM, signal.SIGINT)


@dataclass
class Supervisor:
    """Runs `work` for ever, each time in a new process, which exits with what it returns. `tell` hears what happened.

    `run` is called on the main thread of a process that has no other.
    """

    work: Callable[[], int]
    tell: Callable[[str], None]
    end_seconds: float = END_SECONDS
    _end_by: float | None = None
    _pid: int = 0

    def run(self) -> int:
        """Start it, and again, until told to end by a signal. Returns how this process is to exit."""
        for number in _ENDING:
            signal.signal(number, self._end)
        pause = FIRST_PAUSE
        while self._end_by is None:
            began = time.monotonic()
            code = self._run_once()
            if self._end_by is not None or code in (0, _BAD_INPUT, _REFUSED):
                return 0 if self._end_by is not None else code
            lived = time.monotonic() - began
            pause = next_pause(pause, lived, code)
            self.tell(f"the worker {_ended(code)} after {lived:.0f} s; another one starts in {pause:.1f} s")
            self._rest(pause)
        return 0

    def _end(self, _signal: int, _frame: FrameType | None) -> None:
        """Have the worker finish; a receiver of signals."""
        if self._end_by is None:
            self._end_by = time.monotonic() + self.end_seconds
        self._send(signal.SIGTERM)

    def _run_once(self) -> int:
        # A signal between the fork and the child's own receivers would be heard by nobody.
        signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
        above = os.getpid()
        if self._is_ending():
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
            return 0
        self._pid = os.fork()
        if self._pid == 0:
            _become_worker(above)
            sys.exit(self.work())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
        while (code := self._code()) is None:
            if self._end_by is not None and time.monotonic() > self._end_by:
                self.tell(f"the worker has not ended for {self.end_seconds:.0f} s; it is killed")
                self._send(signal.SIGKILL)
            time.sleep(LOOK_SECONDS)
        return code

    def _is_ending(self) -> bool:
        return self._end_by is not None

    def _code(self) -> int | None:
        """How the worker has ended; None if it runs."""
        pid, status = os.waitpid(self._pid, os.WNOHANG)
        if not pid:
            return None
        self._pid = 0
        return os.waitstatus_to_exitcode(status)

    def _send(self, number: int) -> None:
        if self._pid:
            with contextlib.suppress(ProcessLookupError):  # it has ended this moment
                os.kill(self._pid, number)

    def _rest(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while self._end_by is None and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, LOOK_SECONDS))


def next_pause(before: float, lived: float, code: int) -> float:
    """How long to wait before a worker is started again that lived so long and ended so; `before` is the last pause."""
    if lived > WELL_SECONDS:
        return FIRST_PAUSE
    return min(before * 2, KILLED_PAUSE if code == -signal.SIGKILL else LONGEST_PAUSE)


def _become_worker(above: int) -> None:
    """Leave what is the supervisor's, and have the system tell us to finish when it is killed."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != above:
            os._exit(0)


def _ended(code: int) -> str:
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
