"""The onion around every step: telemetry → interventions → recall → core.

A hook gets the call and the way inward. One that does not go on short-circuits; the hooks outside it still see
the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from quincunx_shared.errors import BlobsLost
from quincunx_shared.events import StepFailed, StepRan, StepRecalled
from quincunx_shared.names import Signature
from quincunx_shared.outcome import RecalledBy
from quincunx_shared.payload import ParamRef
from quincunx_shared.signature import call_signature, stamp_of
from quincunx_workers.call import Answer, Call, Proceed
from quincunx_workers.core import compute
from quincunx_workers.held import Held
from quincunx_workers.laying import lay_interventions
from quincunx_workers.workbench import Workbench

Hook: TypeAlias = Callable[[Call, Workbench, Proceed], Answer]


def record_telemetry(call: Call, bench: Workbench, proceed: Proceed) -> Answer:
    """Tell the log what became of the call, whoever answered it."""
    node = call.task.step.id
    try:
        answer = proceed(call)
    except BlobsLost:
        # Not the step's failure: the render plans again and computes what was lost.
        raise
    except Exception as error:
        bench.log.append(StepFailed(call.segment, node, str(error)))
        raise
    if answer.recalled_by is None:
        bench.log.append(StepRan(call.segment, node, call.task.reason, answer.seconds))
    else:
        bench.log.append(StepRecalled(call.segment, node, answer.recalled_by))
    return answer


def apply_interventions(call: Call, bench: Workbench, proceed: Proceed) -> Answer:
    """Lay on every input what was laid on it. From here inward the step sees only the result."""
    return proceed(lay_interventions(call, bench))


def recall_or_go_on(call: Call, bench: Workbench, proceed: Proceed) -> Answer:
    """Answer from the cache by either signature; else go on, alone, and store what comes back under both."""
    manifest = call.step.manifest
    if not manifest.cacheable:
        return proceed(call)
    contents = [
        (port.name, [reading.value.ref for reading in readings])
        for port, readings in zip(manifest.inputs, call.inputs, strict=True)
    ]
    stamp = stamp_of(manifest, call.task.step.options, bench.numeric_class)
    shallow = call_signature(stamp, contents)
    with bench.flights.alone(shallow, bench.waiting):
        answer = _recalled(call, shallow, bench) or proceed(call)
        if answer.recalled_by != "recipe":
            _store(call, shallow, answer, bench)
    return answer


#: Outermost first.
HOOKS: tuple[Hook, ...] = (record_telemetry, apply_interventions, recall_or_go_on)


def run_step(call: Call, bench: Workbench, hooks: tuple[Hook, ...] = HOOKS) -> Answer:
    """Pass a call through the onion."""
    if not hooks:
        return compute(call, bench)
    outermost, *inner = hooks
    return outermost(call, bench, lambda inward: run_step(inward, bench, tuple(inner)))


def _recalled(call: Call, shallow: Signature, bench: Workbench) -> Answer | None:
    deep = call.task.signature
    names: list[tuple[Signature, RecalledBy]] = [(shallow, "call")]
    if not call.task.nameless:
        names.insert(0, (deep, "recipe"))
    # The planner knew nothing of it, perhaps because a blob of it is lost. Somebody who believes to have seen that
    # blob would answer with it again, and the render would plan again and again.
    known = bench.recall.find([signature for signature, _ in names], anew=True)
    for signature, by in names:
        outputs = known.get(signature)
        if outputs is not None and len(outputs) == len(call.task.step.outputs):
            return Answer(tuple(Held(ref, bench.blobs) for ref in outputs), by)
    return None


def _store(call: Call, shallow: Signature, answer: Answer, bench: Workbench) -> None:
    outputs: tuple[ParamRef, ...] = tuple(held.ref for held in answer.outputs)
    records = {shallow: outputs}
    if not call.task.nameless:
        records[call.task.signature] = outputs
    bench.index.add(records)
