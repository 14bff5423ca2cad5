"""Keeps a worker running: starts it again when it dies, and ends it when asked, by force if it must.

A worker may end at any moment, by a step that kills it or a library that breaks. Whoever started us need not know.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import FrameType

#: The first pause before a worker is started again, the longest, and how long one must live to count as well.
FIRST_PAUSE, LONGEST_PAUSE, WELL_SECONDS = 0.2, 5.0, 30.0

#: Told to end, a worker hands back what it cannot finish; after this time it is killed. Shorter than the grace that
#: containers and units give us.
END_SECONDS = 50.0

_PR_SET_PDEATHSIG = 1

#: What is wrong with the settings does not get better by trying.
_BAD_INPUT = 2


@dataclass
class Supervisor:
    """Runs a command for ever. `tell` hears in a sentence what happened."""

    command: Sequence[str]
    tell: Callable[[str], None]
    end_seconds: float = END_SECONDS
    _ending: threading.Event = field(default_factory=threading.Event)
    _process: subprocess.Popen[bytes] | None = None

    def run(self) -> int:
        """Start it, and again, until told to end. Returns how this process is to exit."""
        pause = FIRST_PAUSE
        while not self._ending.is_set():
            began = time.monotonic()
            code = self._run_once()
            if self._ending.is_set() or code in (0, _BAD_INPUT):
                return 0 if self._ending.is_set() else code
            lived = time.monotonic() - began
            pause = FIRST_PAUSE if lived > WELL_SECONDS else min(pause * 2, LONGEST_PAUSE)
            self.tell(f"the worker {_ended(code)} after {lived:.0f} s; another one starts in {pause:.1f} s")
            self._ending.wait(pause)
        return 0

    def end(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        """Have the worker finish; a receiver of signals."""
        self._ending.set()
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def _run_once(self) -> int:
        self._process = subprocess.Popen(self.command, preexec_fn=_end_with_parent)  # noqa: S603 - ourselves
        if self._ending.is_set():
            self.end()
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return self._process.wait(None if not self._ending.is_set() else self.end_seconds)
            self.tell(f"the worker has not ended for {self.end_seconds:.0f} s; it is killed")
            self._process.kill()


def _end_with_parent() -> None:
    """Have the system tell the worker to finish when we are killed, so that none is left over."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() == 1:
            os._exit(0)


def _ended(code: int) -> str:
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
