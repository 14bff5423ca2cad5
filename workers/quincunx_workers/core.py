"""The innermost layer: fetch the inputs, run the step, and sort what it returned into its outputs."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from quincunx_shared.errors import BadInput, QuincunxError, StepFailed, WrongOutputs
from quincunx_shared.events import StepProgressed
from quincunx_shared.names import Digest
from quincunx_shared.payload import Payload
from quincunx_shared.step import Model
from quincunx_workers.call import Answer, Call
from quincunx_workers.held import Held, fetch_all
from quincunx_workers.workbench import Workbench

LOG = logging.getLogger(__name__)


class Context:
    """What the step may ask of the worker while it runs (`StepContext`)."""

    def __init__(self, call: Call, bench: Workbench) -> None:
        self._call = call
        self._bench = bench

    def report(self, percent: float, text: str = "") -> None:
        """Tell how far the step is."""
        self._bench.log.append(StepProgressed(self._call.segment, self._call.task.step.id, percent, text))

    def model(self, digest: Digest) -> Model:
        """Return a resident model."""
        return self._bench.models.model(digest)

    def file(self, digest: Digest) -> bytes:
        """Return the content of a bank file."""
        return self._bench.models.file(digest)


def compute(call: Call, bench: Workbench) -> Answer:
    """Run the step. Errors of the step become `StepFailed` with its place; lost blobs stay what they are."""
    fetch_all(reading.value for readings in call.inputs for reading in readings)
    inputs = _inputs_by_name(call)
    where = f"{call.segment}/{call.task.step.id}"
    try:
        with bench.turn:
            began = bench.clock.now()
            # The options are a copy: the recipe's own are shared by every segment of the topology.
            returned = call.step.run(inputs, dict(call.task.step.options), Context(call, bench))
            seconds = bench.clock.now() - began
    except QuincunxError:
        raise
    except Exception as error:
        # The outcome is a line; this is for who writes the step. Silent where nobody asked for a log.
        LOG.info("%s raised", where, exc_info=True)
        raise StepFailed(f"{type(error).__name__}: {error}", where=where) from error
    names = [port.name for port in call.step.manifest.outputs]
    outputs = zip(names, arrange_outputs(returned, names, where=where), strict=True)
    return Answer(tuple(_kept(name, payload, bench, where) for name, payload in outputs), seconds=seconds)


def _kept(name: str, payload: Payload, bench: Workbench, where: str) -> Held:
    try:
        return Held.keep(payload, bench.blobs)
    except BadInput as error:
        raise WrongOutputs(f"output {name} cannot be stored: {error.what}", where=where, remedy=error.remedy) from error


def arrange_outputs(returned: Payload, names: Sequence[str], *, where: str = "") -> tuple[Payload, ...]:
    """Sort what a step returned into its outputs by position, or raise `WrongOutputs`.

    One output: a bare value, whatever it is; only a mapping whose single key is the output's own name is refused,
    because it may be meant as the value or as an output by name. Several: a tuple or list by position, exactly as
    many; or a mapping by name, exactly these names. An array is one value, never a sequence of outputs.
    """
    if len(names) == 1:
        if isinstance(returned, Mapping) and returned.keys() == {names[0]}:
            message = f"returned a mapping with the key {names[0]!r}, which is the value or the output of that name"
            raise WrongOutputs(message, where=where, remedy="return the bare value")
        return (returned,)
    if isinstance(returned, Mapping):
        missing = [name for name in names if name not in returned]
        unknown = [str(name) for name in returned if name not in names]
        if missing or unknown:
            told = [f"missing {', '.join(missing)}"] * bool(missing) + [f"unknown {', '.join(unknown)}"] * bool(unknown)
            raise WrongOutputs("; ".join(told), where=where)
        return tuple(returned[name] for name in names)
    if not isinstance(returned, tuple | list):
        raise WrongOutputs(f"returned {type(returned).__name__} for {len(names)} outputs", where=where)
    if len(returned) != len(names):
        raise WrongOutputs(f"returned {len(returned)} values for {len(names)} outputs", where=where)
    return tuple(returned)


def _inputs_by_name(call: Call) -> dict[str, Any]:
    """Connected values by port name: a list for a multi port, the manifest's default where nothing is connected."""
    found: dict[str, Any] = {}
    for port, readings in zip(call.step.manifest.inputs, call.inputs, strict=True):
        payloads = [reading.value.payload() for reading in readings]
        if port.multi:
            found[port.name] = payloads
        else:
            found[port.name] = payloads[0] if payloads else port.default
    return found
