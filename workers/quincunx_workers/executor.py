"""The executor: runs a bundle's tasks through the onion. Every dispatcher, near or far, uses this one.

A bundle's outcome is a value; nothing raises. Blobs that an index promised and a store does not have are an
outcome too (`lost`), and so is a board without what the bundle reads (`unfed`): the one who planned has to plan again.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import replace

from quincunx_shared.errors import BlobsLost, MissingInputs, QuincunxError, StoreError
from quincunx_shared.names import Address, Digest, PortKey
from quincunx_shared.outcome import BundleOutcome
from quincunx_shared.ports import Blackboard
from quincunx_shared.recipe import NOTHING, NULL, Bundle, Source, Task
from quincunx_workers.call import Answer, Call, Reading
from quincunx_workers.held import Held
from quincunx_workers.onion import run_step
from quincunx_workers.scheduler import BundleState
from quincunx_workers.workbench import Workbench


def run_bundle(
    bundle: Bundle,
    board: Blackboard,
    bench: Workbench,
    pool: Executor | None = None,
    *,
    going_on: Callable[[], bool] = lambda: True,
) -> BundleOutcome:
    """Run all tasks that can run; with a pool, independent tasks at the same time.

    `going_on` is asked before every task. When it says no, no further task begins; the outcome is then of no use.
    """
    outcome = BundleOutcome(bundle)
    try:
        outside = board.take(outside_of(bundle))
    except MissingInputs as error:
        # To a coordinator of before, which knows of no `unfed`, it has failed.
        outcome.failed = {task.step.id: str(error) for task in bundle.tasks}
        outcome.unfed = True
        return outcome
    run = _BundleRun(bundle, outcome, bench, {key: Held(ref, bench.blobs) for key, ref in outside.items()})
    run.serially(going_on) if pool is None else run.in_pool(pool, going_on)
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
        self.inside = {task.step.id for task in bundle.tasks}
        self.state = BundleState.of(bundle.tasks, bundle.segment)

    def serially(self, going_on: Callable[[], bool]) -> None:
        """Run one ready task after the other."""
        while (ready := self.state.ready()) and going_on():
            self._merge(ready[0], self._attempt(self._give_out(ready[0])))

    def in_pool(self, pool: Executor, going_on: Callable[[], bool]) -> None:
        """Give every ready task to the pool, and look again whenever one has ended."""
        under_way: dict[Future[Answer | Exception], int] = {}
        while not self.state.done:
            for index in self.state.ready() if going_on() else ():
                under_way[pool.submit(self._attempt, self._give_out(index))] = index
            if not under_way:
                return
            ended, _ = wait(under_way, return_when=FIRST_COMPLETED)
            for future in ended:
                self._merge(under_way.pop(future), future.result())

    def finish(self) -> None:
        """Name the tasks that never ran, and collect what others will read."""
        tasks = self.bundle.tasks
        for index, culprit in sorted(self.state.lost.items()):
            if tasks[culprit].step.id in self.outcome.failed and index != culprit:
                self.outcome.skipped[tasks[index].step.id] = tasks[culprit].step.id
        for key in self.bundle.exports:
            address = Address(self.bundle.segment, key)
            if address in self.known:
                self.outcome.exports[address] = self.known[address].ref

    def _give_out(self, index: int) -> Task:
        """Mark a task as started, and put None where an input it can spare has failed."""
        self.state = self.state.start(index)
        task = self.bundle.tasks[index]
        inputs = tuple(tuple(map(self._or_none, sources)) for sources in task.inputs)
        addresses = (source.address for sources in inputs for source in sources)
        reads_nameless = any(one is not None and self._is_nameless(one) for one in addresses)
        if task.nameless or reads_nameless or inputs != task.inputs:
            self.outcome.nameless.add(task.step.id)
            task = replace(task, inputs=inputs, nameless=True)
        return task

    def _or_none(self, source: Source) -> Source:
        address = source.address
        if address is not None and self._is_inside(address) and address not in self.known:
            return NOTHING
        return source

    def _is_inside(self, address: Address) -> bool:
        return address.segment == self.bundle.segment and address.key.node in self.inside

    def _is_nameless(self, address: Address) -> bool:
        return self._is_inside(address) and address.key.node in self.outcome.nameless

    def _attempt(self, task: Task) -> Answer | Exception:
        try:
            return run_step(self._call(task), self.bench)
        except StoreError as error:
            if isinstance(error, BlobsLost):
                return error
            # A disk that is full is nobody's step: the render ends, and says so.
            raise
        except Exception as error:  # whatever a step or an operator raises is this task's outcome
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
        return Reading(Held(source.value or NULL, self.bench.blobs), source.interventions)

    def _merge(self, index: int, answer: Answer | Exception) -> None:
        task = self.bundle.tasks[index]
        name = task.step.id
        if isinstance(answer, Exception):
            if isinstance(answer, BlobsLost):
                self.outcome.lost |= {Digest(digest) for digest in answer.digests}
            else:
                self.outcome.failed[name] = _told(answer)
            self.state = self.state.failed(index, spare=not isinstance(answer, BlobsLost))
            return
        for port, held in zip(task.step.outputs, answer.outputs, strict=True):
            self.known[Address(self.bundle.segment, PortKey(name, port))] = held
        if answer.recalled_by is None:
            self.outcome.ran.append(name)
        else:
            self.outcome.recalled[name] = answer.recalled_by
        self.state = self.state.merged(index)


def _told(error: Exception) -> str:
    return str(error) if isinstance(error, QuincunxError) else f"{type(error).__name__}: {error}"


def outside_of(bundle: Bundle) -> list[Address]:
    """The addresses the bundle reads that are not made inside it."""
    inside = {task.step.id for task in bundle.tasks}
    found: dict[Address, None] = {}
    for task in bundle.tasks:
        for source in (one for sources in task.inputs for one in sources):
            address = source.address
            if address is not None and not (address.segment == bundle.segment and address.key.node in inside):
                found[address] = None
    return list(found)
