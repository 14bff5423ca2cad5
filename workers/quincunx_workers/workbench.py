"""What a worker has at hand for the steps it runs. Injected; never serialised, never part of a signature."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Protocol

from quincunx_shared.curve import INTERPOLATIONS, Interpolation
from quincunx_shared.intervention import Operator
from quincunx_shared.names import Digest
from quincunx_shared.ports import BlobStore, Clock, EventLog, SignatureIndex
from quincunx_shared.recall import Recall
from quincunx_shared.step import Model, Step
from quincunx_workers.flights import Flights, Waiting, patiently


class Models(Protocol):
    """Where resident models and bank files come from."""

    def model(self, digest: Digest) -> Model:
        """Return the resident model with this digest, loading it if need be."""

    def file(self, digest: Digest) -> bytes:
        """Return the content of a bank file."""


@dataclass(frozen=True)
class Workbench:
    """Steps by name, the stores, the log, the clock, models, and the machine's numeric class."""

    steps: Mapping[str, Step]
    blobs: BlobStore
    index: SignatureIndex
    log: EventLog
    clock: Clock
    models: Models
    operators: Mapping[str, Operator] = field(default_factory=dict)
    interpolations: Mapping[str, Interpolation] = field(default_factory=lambda: INTERPOLATIONS)
    numeric_class: str = ""
    flights: Flights = field(default_factory=Flights)
    #: Held while a step computes, where only one may at a time.
    turn: AbstractContextManager[object] = field(default_factory=nullcontext)

    #: Asked while a step waits for a process that computes the same.
    waiting: Waiting = patiently

    @property
    def recall(self) -> Recall:
        """The index and the blobs, seen as one cache."""
        return Recall(self.index, self.blobs)
