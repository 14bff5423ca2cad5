"""One step at a time on a device: models of a process run under one lock, so that their memory is never added up.

Everything around a run overlaps it: other threads fetch inputs, encode and store results meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from quincunx_shared.names import Digest
from quincunx_shared.step import Model
from quincunx_workers.workbench import Models


class LeasedModel:
    """A model that runs only while no other does."""

    def __init__(self, model: Model, lease: threading.Lock) -> None:
        self._model = model
        self._lease = lease

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
        """Wait for the device, and run."""
        with self._lease:
            return self._model.run(feeds, seed=seed)


class DeviceModels:
    """Models of one device."""

    def __init__(self, models: Models) -> None:
        self._models = models
        self._lease = threading.Lock()

    def model(self, digest: Digest) -> Model:
        """Return the resident model, which takes turns with the others."""
        return LeasedModel(self._models.model(digest), self._lease)

    def file(self, digest: Digest) -> bytes:
        """Return the content of a bank file."""
        return self._models.file(digest)
