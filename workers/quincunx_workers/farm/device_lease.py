"""One step at a time on a device: models of a process run under one lock, so that their memory is never added up.

Everything around a run overlaps it: other threads fetch inputs, encode and store results meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from quincunx_shared.errors import DeviceFailed
from quincunx_shared.names import Digest
from quincunx_shared.step import Model
from quincunx_workers.workbench import Models


class LeasedModel:
    """A model that runs only while no other does."""

    def __init__(self, model: Model, device: DeviceModels, digest: Digest) -> None:
        self._model = model
        self._device = device
        self._digest = digest

    @property
    def inputs(self) -> Mapping[str, tuple[str, tuple[int | None, ...]]]:
        """Its inputs."""
        return self._model.inputs

    @property
    def noises(self) -> tuple[str, ...]:
        """Its seeded noises."""
        return self._model.noises

    @property
    def unseeded(self) -> tuple[str, ...]:
        """Its noises that no seed reaches."""
        return self._model.unseeded

    @property
    def outputs(self) -> tuple[str, ...]:
        """Its outputs."""
        return self._model.outputs

    @property
    def metadata(self) -> Mapping[str, str]:
        """What the file says of itself."""
        return self._model.metadata

    def run(self, feeds: Mapping[str, Any], *, seed: int = 0) -> tuple[Any, ...]:
        """Wait for the device, and run; once more with all of its memory if that failed."""
        with self._device.lease:
            try:
                return self._model.run(feeds, seed=seed)
            except DeviceFailed as error:
                failed = error.with_traceback(None)
            # Where it came from would hold on to the model that is to leave.
            failed.__cause__ = failed.__context__ = None
            self._device.clear()
            del self._model
            with self._device.telling():
                self._model = self._loaded_again(failed)
                return self._model.run(feeds, seed=seed)

    def _loaded_again(self, failed: DeviceFailed) -> Model:
        try:
            return self._device.load(self._digest)
        except DeviceFailed:
            # That it ran, and broke the device, is what there is to say.
            raise failed from None


class DeviceModels:
    """Models of one device. A thread whose model failed for the device's sake hears of it by `failure`."""

    def __init__(self, models: Models, clear: Callable[[], None] = lambda: None) -> None:
        """`clear` lets go of every model that nobody runs."""
        self.load = models.model
        self.clear = clear
        self.lease = threading.Lock()
        self._models = models
        self._failed = threading.local()

    def failure(self) -> DeviceFailed | None:
        """How the device failed this thread. The process is of no use then: what CUDA says once, it says for ever."""
        return getattr(self._failed, "error", None)

    def model(self, digest: Digest) -> Model:
        """Return the resident model, which takes turns with the others."""
        with self.telling():
            return LeasedModel(self.load(digest), self, digest)

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Note how the device fails inside."""
        try:
            yield
        except DeviceFailed as error:
            self._failed.error = error
            raise

    def file(self, digest: Digest) -> bytes:
        """Return the content of a bank file."""
        return self._models.file(digest)
