"""Steps one does not trust: each runs in a process of its own, with a limit on time and on memory.

    worker                                   child (`isolated_child`)
    run(inputs, options) ── call ──►         imports the plug-in, runs the step
                        ◄── report, file? ─
                        ── file bytes ──►
                        ◄── outputs, or what went wrong

A step that hangs is ended, one that crashes or fills the memory takes only its child along, and the next call gets a
fresh one. This is no sandbox: the child may still read and write what its user may.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from quincunx_shared.errors import BadInput, StepFailed
from quincunx_shared.isolation import Isolation
from quincunx_shared.manifest import Manifest
from quincunx_shared.payload import Payload
from quincunx_shared.step import Step, StepContext
from quincunx_workers.isolated_wire import Wire

#: Starting Python and importing NumPy, on a machine that is busy.
START_SECONDS = 60.0


def isolated_step(value: str, isolation: Isolation) -> tuple[Step | None, str]:
    """Return a step that runs apart, and what is wrong with it, if anything; `value` is its entry point's."""
    children = _Children(value, isolation)
    weakref.finalize(children, _end_all, children.idle)
    try:
        manifest = children.manifest()
    except (BadInput, StepFailed) as error:
        return None, f"{value}: {error.what}"

    def run(inputs: Mapping[str, Any], options: Mapping[str, Any], context: StepContext) -> Payload:
        return children.call(inputs, options, context)

    return Step(manifest, run), ""


@dataclass
class _Child:
    """A process that has imported the plug-in and waits for calls."""

    process: subprocess.Popen[bytes]
    wire: Wire
    manifest: Mapping[str, Any]


@dataclass
class _Children:
    """The children of one step: as many as calls at once, kept between calls."""

    value: str
    isolation: Isolation
    idle: list[_Child] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    owner: int = field(default_factory=os.getpid)

    def manifest(self) -> Manifest:
        """Return what the step declares. The child that told it stays for the first call."""
        child = self._begin()
        self.idle.append(child)
        try:
            return Manifest.model_validate_json(str(child.manifest["json"]))
        except ValueError as error:
            raise BadInput(f"its manifest is none: {error}") from error

    def call(self, inputs: Mapping[str, Any], options: Mapping[str, Any], context: StepContext) -> Payload:
        """Run the step once."""
        with self.lock:
            self._forget_those_of_the_parent()
            child = self.idle.pop() if self.idle else None
        child = child or self._begin()
        asked = {"inputs": dict(inputs), "options": dict(options)}
        answer = self._under_the_clock(
            child, self.isolation.seconds, lambda: _converse(child.wire, asked, context), "run"
        )
        with self.lock:
            self.idle.append(child)
        if "error" in answer:
            raise StepFailed(str(answer["error"]))
        return answer["returned"]

    def _forget_those_of_the_parent(self) -> None:
        """A fork must not talk into the pipes that its parent and its siblings have, too."""
        if self.owner != os.getpid():
            for child in self.idle:
                # Not ours to wait for.
                child.process.returncode = 0
            self.idle.clear()
            self.owner = os.getpid()

    def _begin(self) -> _Child:
        module, limit = "quincunx_workers.isolated_child", self.isolation.memory_bytes
        process = subprocess.Popen(  # noqa: S603 - a list, no shell
            [sys.executable, "-P", "-m", module, self.value, str(limit)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_environment(),
        )
        wire = Wire(process.stdout, process.stdin, limit)  # type: ignore[arg-type] # both are pipes, as asked for
        child = _Child(process, wire, {})
        told = self._under_the_clock(child, START_SECONDS, child.wire.receive, "be imported")
        if "error" in told:
            _end_all([child])
            raise BadInput(str(told["error"]))
        child.manifest = told
        return child

    def _under_the_clock(self, child: _Child, seconds: float, talk: Callable[[], Any], what: str) -> Any:
        """Talk with a child; end it when it takes too long. A child that broke off is never used again."""
        late = threading.Event()

        def end() -> None:
            late.set()
            child.process.kill()

        clock = threading.Timer(seconds, end)
        clock.daemon = True
        clock.start()
        try:
            return talk()
        except (EOFError, OSError, ValueError) as error:
            raise StepFailed(_last_words(child, late.is_set(), seconds, what)) from error
        except BaseException:
            _end_all([child])
            raise
        finally:
            clock.cancel()


def _converse(wire: Wire, asked: Mapping[str, Any], context: StepContext) -> Mapping[str, Any]:
    """Send a call and serve what the step asks for until it answers."""
    wire.send(asked)
    while True:
        said = wire.receive()
        if "report" in said:
            context.report(*said["report"])
        elif "file" in said:
            wire.send({"content": context.file(said["file"])})
        else:
            return said


def _last_words(child: _Child, late: bool, seconds: float, what: str) -> str:
    _end_all([child])
    code = child.process.returncode
    if late:
        return f"took longer than {seconds:g} s to {what}, and was ended"
    how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
    return f"its process ended {how}, without an answer"


def _end_all(children: list[_Child]) -> None:
    for child in children:
        # A child that ended by itself keeps its own exit code.
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.process.wait(timeout=0.2 if child.process.poll() is None else 0)
        child.process.kill()
        child.process.wait()
        for pipe in (child.process.stdin, child.process.stdout):
            # What was still in the buffer has no reader any more.
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()


def _environment() -> dict[str, str]:
    """Nothing of the worker's own environment, which may hold secrets; one thread, as every step of a worker has."""
    windows = {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}
    return {"PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", **windows}
