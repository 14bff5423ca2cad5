"""Files of voices on a worker's machine, and models that take turns on a device."""

from __future__ import annotations

import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from quincunx_shared.errors import BadVoicebank, DeviceFailed, StepFailed
from quincunx_shared.names import Digest
from quincunx_shared.stores.machine_cache import MachineCache
from quincunx_shared.stores.memory import MemoryBlobStore
from quincunx_workers.bank_file import read_held
from quincunx_workers.farm.bank_files import BankFiles
from quincunx_workers.farm.device_lease import DeviceModels
from quincunx_workers.model_pool import ModelPool

CONTENT = b"a dictionary"
DIGEST = Digest(sha256(CONTENT).hexdigest())


@pytest.fixture(params=["a folder of its own", "the machine's cache"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> BankFiles:
    blobs = MemoryBlobStore()
    machine = MachineCache(blobs, tmp_path / "machine", 10**6) if "cache" in request.param else None
    return BankFiles(tmp_path / "banks", blobs, machine)


def test_a_file_is_fetched_once_by_its_digest(files: BankFiles) -> None:
    files.blobs.put(DIGEST, CONTENT)
    path = files.path(DIGEST)
    assert path.read_bytes() == CONTENT
    before = path.stat().st_ino
    assert files.path(DIGEST).stat().st_ino == before


def test_a_file_that_was_spoilt_is_fetched_anew(files: BankFiles) -> None:
    files.blobs.put(DIGEST, CONTENT)
    files.path(DIGEST).write_bytes(b"rubbish")
    files.changed(files.path(DIGEST))
    assert files.path(DIGEST).read_bytes() == CONTENT


def test_a_file_that_nobody_stored_is_a_fault_of_the_voice_not_of_the_cache(files: BankFiles) -> None:
    with pytest.raises(BadVoicebank, match="is not in the store"):
        files.path(DIGEST)


def test_a_file_that_was_torn_on_this_machine_fails_no_phrase(files: BankFiles) -> None:
    files.blobs.put(DIGEST, CONTENT)
    files.path(DIGEST).write_bytes(b"torn")
    load: Any = read_held
    pool = ModelPool(files, load)
    assert pool.file(DIGEST) == CONTENT
    files.path(DIGEST).write_bytes(b"torn")
    model: Any = pool.model(DIGEST)
    assert model == CONTENT


class Device:
    """Models that fail as often as they are told to."""

    def __init__(self, loads: list[Exception | None], runs: list[Exception | None]) -> None:
        self._loads, self._runs = loads, runs
        self.cleared = 0

    def model(self, digest: Digest) -> Any:  # noqa: ARG002
        self._next(self._loads)
        return SimpleNamespace(run=self._run)

    def _run(self, feeds: Any, *, seed: int = 0) -> tuple[Any, ...]:  # noqa: ARG002
        self._next(self._runs)
        return (seed,)

    def _next(self, answers: list[Exception | None]) -> None:
        error = answers.pop(0) if answers else None
        if error is not None:
            raise error

    def clear(self) -> None:
        self.cleared += 1


FULL = DeviceFailed("CUDA failure 2: out of memory")
_ = None
DEAD = DeviceFailed("could not start cuda", started=False)


@pytest.mark.parametrize(
    ("loads", "runs", "failure"),
    [
        ([], [FULL], None),
        ([], [FULL, FULL], FULL),
        ([None, DEAD], [FULL], FULL),
        ([DEAD], [], DEAD),
        ([], [StepFailed("its shapes do not fit")], None),
    ],
)
def test_a_device_that_failed_is_tried_once_more_and_then_told_of(
    loads: list[Exception | None], runs: list[Exception | None], failure: DeviceFailed | None
) -> None:
    told = Device([*loads], [*runs])
    device = DeviceModels(told, told.clear)  # type: ignore[arg-type]
    with suppress(StepFailed):
        assert device.model(DIGEST).run({}, seed=7) == (7,)
    assert device.failure() is failure
    with ThreadPoolExecutor() as pool:
        assert pool.submit(device.failure).result() is None, "it failed nobody else"


def test_a_model_that_filled_its_device_is_gone_when_it_is_loaded_again() -> None:
    class Filling:
        def run(self, feeds: Any, *, seed: int = 0) -> tuple[Any, ...]:  # noqa: ARG002
            try:
                raise RuntimeError("CUDA failure 2: out of memory")
            except RuntimeError as error:
                raise DeviceFailed(str(error)) from error

    loaded: list[weakref.ref[Any]] = []
    alive: list[bool] = []

    def load(_: Digest) -> Any:
        alive.extend(one() is not None for one in loaded)
        model = Filling()
        loaded.append(weakref.ref(model))
        return model

    device = DeviceModels(SimpleNamespace(model=load, file=lambda _: CONTENT))
    with pytest.raises(DeviceFailed):
        device.model(DIGEST).run({})
    assert alive == [False]


def test_models_of_a_device_run_one_after_the_other() -> None:
    running: list[int] = []
    most: list[int] = []

    def run(feeds: Any, *, seed: int = 0) -> tuple[Any, ...]:  # noqa: ARG001
        running.append(1)
        most.append(len(running))
        threading.Event().wait(0.002)
        running.pop()
        return (seed,)

    models: Any = SimpleNamespace(model=lambda _: SimpleNamespace(run=run, outputs=("y",)), file=lambda _: CONTENT)
    device = DeviceModels(models)
    assert device.file(DIGEST) == CONTENT
    assert device.model(DIGEST).outputs == ("y",)
    threads = [threading.Thread(target=device.model(DIGEST).run, args=({},)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 8
