"""The process of one isolated step: `python -m quincunx_workers.isolated_child ENTRY_POINT MEMORY_BYTES`.

It sets its own limits before it imports the plug-in, tells the manifest, and answers calls until nobody asks any
more. What the plug-in prints goes to standard error, so that it cannot be taken for an answer.
"""

from __future__ import annotations

import importlib
import os
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

from quincunx_shared.errors import QuincunxError, StepFailed
from quincunx_shared.names import Digest
from quincunx_shared.step import Model, Step
from quincunx_workers.core import arrange_outputs
from quincunx_workers.isolated_wire import Wire


class Context:
    """What an isolated step may ask of its worker (`StepContext`): everything but models."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def report(self, percent: float, text: str = "") -> None:
        """Tell how far the step is."""
        self._wire.send({"report": [float(percent), str(text)]})

    def model(self, digest: Digest) -> Model:  # noqa: ARG002 - the protocol's signature
        """Refuse: models live in the worker, and this process is kept away from it."""
        raise StepFailed("a step in a process of its own has no models", remedy="trust its package, or run ONNX itself")

    def file(self, digest: Digest) -> bytes:
        """Return the content of a bank file."""
        self._wire.send({"file": digest})
        return bytes(self._wire.receive()["content"])


def main(value: str, memory_bytes: int) -> None:
    """Serve one step until the worker closes the wire."""
    wire = Wire(os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb"), memory_bytes)
    os.dup2(2, 1)  # print() of the plug-in
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    _limit_memory(memory_bytes)
    try:
        step = _import(value)
        manifest = step.manifest.model_dump_json()
    except BaseException as error:  # whatever importing foreign code raises is told, not shown as a traceback
        wire.send({"error": f"cannot be imported: {type(error).__name__}: {error}"})
        return
    wire.send({"json": manifest})
    while True:
        try:
            asked = wire.receive()
        except EOFError:
            return
        answer = _answer(step, asked, Context(wire))
        try:
            wire.send(answer)
        except (QuincunxError, TypeError, ValueError) as error:
            wire.send({"error": f"what it returned cannot be sent: {error}"})


def _answer(step: Step, asked: Mapping[str, Any], context: Context) -> dict[str, Any]:
    try:
        returned = step.run(asked["inputs"], asked["options"], context)
        names = [port.name for port in step.manifest.outputs]
        outputs = list(arrange_outputs(returned, names))
        return {"returned": outputs[0] if len(outputs) == 1 else outputs}
    except QuincunxError as error:
        return {"error": str(error)}
    except MemoryError:
        return {"error": "needs more memory than it may have"}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


def _import(value: str) -> Step:
    module, _, name = value.partition(":")
    step: object = importlib.import_module(module)
    for part in name.split("."):
        step = getattr(step, part)
    if not isinstance(step, Step):
        raise TypeError(f"{value} is not a Step but {type(step).__name__}")
    return step


def _end_with(worker: int) -> None:
    """End when the worker is gone, even in the middle of a step that never returns."""
    while os.getppid() == worker:
        time.sleep(1)
    os._exit(1)


def _limit_memory(limit: int) -> None:
    """Let the system refuse more memory, where it knows such a limit (not on Windows)."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
