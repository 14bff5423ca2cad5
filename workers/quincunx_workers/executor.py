"""The executor: runs a bundle's tasks through the onion. Every dispatcher, near or far, uses this one.

A bundle's outcome is a value; nothing raises. Blobs that an index promised and a store does not have are an
outcome too (`lost`): the one who planned has to plan again.
"""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait

from quincunx_shared.errors import BlobsLost, MissingInputs, QuincunxError
from quincunx_shared.names import Address, Digest, PortKey
from quincunx_shared.outcome import BundleOutcome
from quincunx_shared.ports import Blackboard
from quincunx_shared.recipe import Bundle, Source, Task
from quincunx_workers.call import Answer, Call, Reading
from quincunx_workers.held import Held
from quincunx_workers.onion import run_step
from quincunx_workers.scheduler import BundleState
from quincunx_workers.workbench import Workbench


def run_bundle(bundle: Bundle, board: Blackboard, bench: Workbench, pool: Executor | None = None) -> BundleOutcome:
    """Run all tasks that can run; with a pool, independent tasks at the same time."""
    outcome = BundleOutcome(bundle)
    try:
        outside = board.take(_outside(bundle))
    except MissingInputs as error:
        outcome.failed = {task.step.id: str(error) for task in bundle.tasks}
        return outcome
    run = _BundleRun(bundle, outcome, bench, {key: Held(ref, bench.blobs) for key, ref in outside.items()})
    run.serially() if pool is None else run.in_pool(pool)
    run.finish()
    board.put(outcome.exports)
    return outcome


class _BundleRun:
    """The effects of one bundle: gives out ready tasks and merges their answers into the state."""

    def __init__(self, bundle: Bundle, outcome: BundleOutcome, bench: Workbench, known: dict[Address, Held]) -> None:
        self.bundle = bundle
        self.outcome = outcome
        self.bench = bench
        self.known = known
        self.state = BundleState.of(bundle.tasks, bundle.segment)

    def serially(self) -> None:
        """Run one ready task after the other."""
        while ready := self.state.ready():
            index = ready[0]
            self.state = self.state.start(index)
            self._merge(index, self._attempt(index))

    def in_pool(self, pool: Executor) -> None:
        """Give every ready task to the pool, and look again whenever one has ended."""
        under_way: dict[Future[Answer | Exception], int] = {}
        while not self.state.done:
            for index in self.state.ready():
                self.state = self.state.start(index)
                under_way[pool.submit(self._attempt, index)] = index
            ended, _ = wait(under_way, return_when=FIRST_COMPLETED)
            for future in ended:
                self._merge(under_way.pop(future), future.result())

    def finish(self) -> None:
        """Name the tasks that never ran, and collect what others will read."""
        tasks = self.bundle.tasks
        named = self.outcome.failed.keys() | self.outcome.skipped.keys()
        for index in sorted(self.state.lost):
            name = tasks[index].step.id
            if name not in named and not self.outcome.lost:
                because = ", ".join(sorted(self.outcome.failed))
                self.outcome.skipped[name] = f"{because} failed"
        for key in self.bundle.exports:
            address = Address(self.bundle.segment, key)
            if address in self.known:
                self.outcome.exports[address] = self.known[address].ref

    def _attempt(self, index: int) -> Answer | Exception:
        task = self.bundle.tasks[index]
        try:
            return run_step(self._call(task), self.bench)
        except (QuincunxError, OSError, MemoryError) as error:
            return error

    def _call(self, task: Task) -> Call:
        step = self.bench.steps.get(task.step.step)
        if step is None:
            raise QuincunxError(
                f"this worker has no step {task.step.step!r}",
                where=f"{self.bundle.segment}/{task.step.id}",
                remedy="install the package that offers it, on every worker",
            )
        inputs = tuple(tuple(self._reading(source) for source in sources) for sources in task.inputs)
        return Call(self.bundle.segment, task, step, inputs)

    def _reading(self, source: Source) -> Reading:
        if source.address is not None:
            return Reading(self.known[source.address], source.interventions)
        assert source.value is not None, "a source has an address or a value"  # noqa: S101
        return Reading(Held(source.value, self.bench.blobs), source.interventions)

    def _merge(self, index: int, answer: Answer | Exception) -> None:
        task = self.bundle.tasks[index]
        name = task.step.id
        if isinstance(answer, Exception):
            if isinstance(answer, BlobsLost):
                self.outcome.lost |= {Digest(digest) for digest in answer.digests}
            else:
                self.outcome.failed[name] = str(answer)
            self.state = self.state.failed(index)
            return
        for port, held in zip(task.step.outputs, answer.outputs, strict=True):
            self.known[Address(self.bundle.segment, PortKey(name, port))] = held
        if answer.recalled_by is None:
            self.outcome.ran.append(name)
        else:
            self.outcome.recalled[name] = answer.recalled_by
        self.state = self.state.merged(index)


def _outside(bundle: Bundle) -> list[Address]:
    """The addresses the bundle reads that are not made inside it."""
    inside = {task.step.id for task in bundle.tasks}
    found: dict[Address, None] = {}
    for task in bundle.tasks:
        for source in (one for sources in task.inputs for one in sources):
            address = source.address
            if address is not None and not (address.segment == bundle.segment and address.key.node in inside):
                found[address] = None
    return list(found)
