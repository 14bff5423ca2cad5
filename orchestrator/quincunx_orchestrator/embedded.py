"""Embedded mode: the farm inside this process. The only module of the orchestrator that knows a worker.

Bundles of a stage run on a pool of threads, and the next stage starts when all have ended. The executor is the one
every worker uses, so what sounds here sounds the same from a cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from quincunx_orchestrator.rounds import Farm
from quincunx_shared.bank_folder import file_digest
from quincunx_shared.curve import INTERPOLATIONS, Interpolation
from quincunx_shared.errors import QuincunxError
from quincunx_shared.intervention import Operator
from quincunx_shared.isolation import TRUSTING, Isolation
from quincunx_shared.manifest import Manifest
from quincunx_shared.model_limits import GENEROUS, ModelLimits
from quincunx_shared.names import Digest
from quincunx_shared.outcome import BundleOutcome
from quincunx_shared.payload import ParamRef
from quincunx_shared.plugins import Plugins
from quincunx_shared.ports import Blackboard, BlobStore, EventLog, SignatureIndex
from quincunx_shared.recall import Recall
from quincunx_shared.recipe import Bundle
from quincunx_shared.step import Step
from quincunx_shared.stores.behind import BehindBlobStore
from quincunx_shared.stores.claims import Claims
from quincunx_shared.stores.memory import MemoryBoard, SystemClock
from quincunx_workers.executor import run_bundle
from quincunx_workers.flights import Flights
from quincunx_workers.memory import give_back, return_early
from quincunx_workers.model_pool import ModelLibrary, ModelPool
from quincunx_workers.onnx_runtime import OnnxRuntime, Provider, installed_provider, numeric_class
from quincunx_workers.registry import load_steps
from quincunx_workers.shared_flights import SharedFlights
from quincunx_workers.workbench import Models, Workbench

#: A phrase needs two models and the mix needs the other phrases; loading them is mostly outside Python.
LOADS_AT_ONCE = 3


@dataclass(frozen=True)
class ThreadDispatcher:
    """Runs the bundles of a stage on a pool of threads, and waits for all of them."""

    bench: Workbench
    blobs: BehindBlobStore
    pool: ThreadPoolExecutor
    warming: ThreadPoolExecutor

    def announce(self, stages: Sequence[Sequence[Bundle]], recalled: Iterable[ParamRef]) -> None:
        """Load the models before anything runs, and begin to fetch recalled results.

        What cannot be loaded is refused here, by `BadVoicebank`, while nothing is stored yet.
        """
        tasks = (task for stage in stages for bundle in stage for task in bundle.tasks)
        wanted = {
            task.step.options[name]: None
            for task in tasks
            if task.step.step in self.bench.steps
            for name in self.bench.steps[task.step.step].manifest.models
        }
        self.warming.submit(self.blobs.fetch_ahead, [ref.digest for ref in recalled if ref.inline is None])
        for loaded in [self.warming.submit(self.bench.models.model, digest) for digest in wanted if digest]:
            loaded.result()

    def run_stage(self, bundles: Sequence[Bundle], board: Blackboard) -> Iterable[BundleOutcome]:
        """Return the outcomes in the order of the bundles."""
        if len(bundles) == 1:
            # A stage of one bundle gains nothing from a thread, but its independent steps do from the pool.
            outcomes = [run_bundle(bundles[0], board, self.bench, self.pool)]
        else:
            outcomes = list(self.pool.map(lambda bundle: run_bundle(bundle, board, self.bench), bundles))
        self.bench.flights.land()
        return outcomes


@contextmanager
def open_farm(
    steps: Mapping[str, Step],
    blobs: BlobStore,
    index: SignatureIndex,
    log: EventLog,
    *,
    models: Models,
    threads: int = 2,
    numeric: str = "",
    operators: Mapping[str, Operator] | None = None,
    interpolations: Mapping[str, Interpolation] = INTERPOLATIONS,
    claims: Claims | None = None,
) -> Iterator[Farm]:
    """Yield a farm that computes in this process, with as many bundles at once as there are threads.

    With claims, it waits for what other processes are computing on the same cache instead of computing it as well.
    """
    with (
        closing(BehindBlobStore(blobs)) as behind,
        ThreadPoolExecutor(max_workers=threads, thread_name_prefix="quincunx") as pool,
        ThreadPoolExecutor(max_workers=LOADS_AT_ONCE, thread_name_prefix="quincunx-loads") as warming,
    ):
        recall = Recall(index, behind)
        flights = Flights() if claims is None else SharedFlights(claims, recall.flush)
        ways, clock = operators or {}, SystemClock()
        bench = Workbench(steps, behind, index, log, clock, models, ways, interpolations, numeric, flights)

        def forget() -> None:
            behind.flush()
            behind.forget()
            give_back()

        yield Farm(recall, ThreadDispatcher(bench, behind, pool, warming), log, MemoryBoard, forget)


def installed_steps(isolation: Isolation = TRUSTING) -> Plugins[Step]:
    """The steps that installed packages offer, and the plug-ins that could not be used."""
    return load_steps(isolation)


def manifests_of(steps: Mapping[str, Step]) -> dict[str, Manifest]:
    """The manifests of steps, which is all of them that planning needs."""
    return {name: step.manifest for name, step in steps.items()}


@dataclass(frozen=True)
class Machine:
    """What computes here: the provider that runs the models, and the numeric class that follows from it."""

    provider: Provider
    numeric_class: str


def this_machine(provider: Provider | None = None) -> Machine:
    """Return this machine, without loading the ONNX Runtime: CUDA if that runtime is installed, unless told otherwise.

    Raises `QuincunxError` with the remedy if both runtimes are installed, or none.
    """
    chosen = provider or installed_provider()
    return Machine(chosen, numeric_class(chosen))


def models_from(
    files: Mapping[Digest, Path],
    machine: Machine,
    limits: ModelLimits = GENEROUS,
    *,
    changed: Callable[[Path], None] = lambda _: None,
) -> Models:
    """Models and bank files, loaded when a step first asks for them; `changed` hears of a file that is another now."""
    return ModelPool(ModelLibrary(files, changed), OnnxRuntime(machine.provider, limits).load)


def frugal_limits(limits: ModelLimits) -> ModelLimits:
    """Let this process give memory back as soon as it is free, and return the limits with which its models do too."""
    return_early()
    return replace(limits, keep_frames=0)


def check_models(paths: Iterable[Path]) -> None:
    """Load each model once, and let go of it. Raises `BadVoicebank` for what no render could load.

    On the processor: whether a file is a model does not depend on the device. A machine without an ONNX Runtime
    cannot tell, and takes them as they are.
    """
    try:
        runtime = OnnxRuntime("cpu")
    except QuincunxError:
        return
    for path in paths:
        runtime.load(path, file_digest(path))
