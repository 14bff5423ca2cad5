"""Runs the processes of a farm on one machine: starts them, starts again what dies, ends all of them.

Each process leads a group of its own, so that Ctrl-C at a terminal reaches the supervisor alone: it ends the others in
order, workers before what they speak to, and gives them time to finish.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

#: A process that dies again and again is started again ever more slowly; one that lived this long begins anew.
FIRST_PAUSE, LONGEST_PAUSE, STEADY_SECONDS = 0.5, 30.0, 60.0

LOOK_SECONDS = 0.2

_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Part:
    """A process of the farm: its name for people, and how it is started."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]


@dataclass
class _Running:
    part: Part
    process: subprocess.Popen[bytes]
    started: float
    pause: float = FIRST_PAUSE
    due: float | None = None


@dataclass
class Supervisor:
    """Keeps the parts of a farm running in a folder; what they print goes to `<folder>/logs/<name>.log`."""

    folder: Path
    tell: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    #: Looks after what was started beside the parts, each time.
    beside: Callable[[], None] = lambda: None
    _running: list[_Running] = field(default_factory=list)

    def start(self, parts: Sequence[Part]) -> None:
        """Start parts, in order."""
        for part in parts:
            self._running.append(_Running(part, self._launch(part), self.clock()))

    def watch(self, ended: threading.Event) -> None:
        """Start again what dies, until told to end."""
        while not ended.wait(LOOK_SECONDS):
            self.look()

    def look(self) -> None:
        """Look after every part once."""
        self.beside()
        now = self.clock()
        for one in self._running:
            if one.due is None and one.process.poll() is not None:
                steady = now - one.started > STEADY_SECONDS
                one.pause = FIRST_PAUSE if steady else min(one.pause * 2, LONGEST_PAUSE)
                one.due = now + one.pause
                self.tell(f"{one.part.name} {_ending(one.process)}; it starts again in {one.pause:.0f} s")
            if one.due is not None and now >= one.due:
                one.process, one.started, one.due = self._launch(one.part), now, None

    def dead(self) -> list[str]:
        """The parts that are not running now."""
        return [one.part.name for one in self._running if one.process.poll() is not None]

    def pids(self) -> dict[str, int]:
        """The process of every part."""
        return {one.part.name: one.process.pid for one in self._running}

    def log_of(self, name: str) -> Path:
        """Where a part's messages are."""
        return self.folder / "logs" / f"{name}.log"

    def stop(self, seconds: float) -> None:
        """End all parts: ask, last started first, wait that long for all of them, then kill what is left."""
        alive = [one.process for one in reversed(self._running) if one.process.poll() is None]
        for process in alive:
            process.terminate()
        deadline = self.clock() + seconds
        for process in alive:
            try:
                process.wait(max(deadline - self.clock(), 0.0))
            except subprocess.TimeoutExpired:
                self.tell(f"process {process.pid} does not end; it is killed")
        for process in alive:
            _kill_group(process)
        self._running.clear()

    def _launch(self, part: Part) -> subprocess.Popen[bytes]:
        path = self.log_of(part.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as log:
            return _started(part, self.folder, log)


def _started(part: Part, folder: Path, log: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own programs
        part.command,
        # Celery looks for modules where it is started: not among the songs of a user.
        cwd=folder,
        env=dict(part.environment),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
        preexec_fn=_die_with_parent if sys.platform == "linux" else None,
    )


def _die_with_parent() -> None:
    """Have the system end this process when the supervisor is killed, so that nothing stays behind."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of a process and of its children."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _ending(process: subprocess.Popen[bytes]) -> str:
    code = process.returncode
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
