"""In-memory forms of every port. Real ones: whole, thread-safe, and gone with the process."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from quincunx_shared.canonical import digest_of_bytes
from quincunx_shared.errors import BlobCorrupt, BlobMissing, MissingInputs
from quincunx_shared.events import Event
from quincunx_shared.names import Address, Digest, Signature
from quincunx_shared.payload import ParamRef
from quincunx_shared.ports import Outputs


class MemoryBlobStore:
    """Blobs in a dictionary."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._blobs: dict[Digest, bytes] = {}

    def put(self, digest: Digest, content: bytes | memoryview) -> None:
        """Store a copy of the bytes."""
        with self._guard:
            self._blobs.setdefault(digest, bytes(content))

    def get(self, digest: Digest) -> bytes:
        """Return the bytes, checked."""
        with self._guard:
            content = self._blobs.get(digest)
        if content is None:
            raise BlobMissing(digest)
        if digest_of_bytes(content) != digest:
            with self._guard:
                self._blobs.pop(digest, None)
            raise BlobCorrupt(digest)
        return content

    def missing(self, digests: Iterable[Digest]) -> set[Digest]:
        """Return the digests that are not here."""
        with self._guard:
            return {digest for digest in digests if digest not in self._blobs}

    def flush(self) -> None:
        """Nothing waits here."""


class MemoryIndex:
    """Signatures in a dictionary."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._records: dict[Signature, Outputs] = {}

    def find(self, signatures: Iterable[Signature]) -> Mapping[Signature, Outputs]:
        """Return what is known."""
        with self._guard:
            return {name: self._records[name] for name in signatures if name in self._records}

    def add(self, records: Mapping[Signature, Outputs]) -> None:
        """Add what is not known yet."""
        with self._guard:
            for signature, outputs in records.items():
                self._records.setdefault(signature, outputs)

    def forget(self, signatures: Iterable[Signature]) -> None:
        """Drop records."""
        with self._guard:
            for signature in signatures:
                self._records.pop(signature, None)

    def flush(self) -> None:
        """Nothing waits here."""


class MemoryBoard:
    """A blackboard in a dictionary."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._refs: dict[Address, ParamRef] = {}

    def put(self, values: Mapping[Address, ParamRef]) -> None:
        """Pin references."""
        with self._guard:
            self._refs.update(values)

    def take(self, addresses: Sequence[Address]) -> Mapping[Address, ParamRef]:
        """Return the references, or name what is missing."""
        with self._guard:
            absent = [address for address in addresses if address not in self._refs]
            if not absent:
                return {address: self._refs[address] for address in addresses}
        ports: dict[str, list[str]] = {}
        for address in absent:
            ports.setdefault(f"{address.segment}/{address.key.node}", []).append(address.key.port)
        raise MissingInputs(ports, where="the blackboard")

    def close(self) -> None:
        """Forget everything."""
        with self._guard:
            self._refs.clear()


class MemoryEventLog:
    """Events in a list, and listeners that hear each of them.

    A listener is called outside the lock, and what it raises is its own affair: no listener can break a step or
    hold up another thread's.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._events: list[Event] = []
        self._listeners: tuple[Callable[[Event], None], ...] = ()

    def append(self, event: Event) -> int:
        """Add an event and tell the listeners."""
        with self._guard:
            self._events.append(event)
            sequence = len(self._events) - 1
            listeners = self._listeners
        for listener in listeners:
            with contextlib.suppress(Exception):
                listener(event)
        return sequence

    def since(self, sequence: int) -> Sequence[Event]:
        """Return the events from a number on."""
        with self._guard:
            return tuple(self._events[sequence:])

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Call the listener for every event from now on."""
        with self._guard:
            self._listeners = (*self._listeners, listener)


class SystemClock:
    """The monotonic clock of this machine."""

    def now(self) -> float:
        """Seconds since some fixed moment."""
        return time.monotonic()


class ManualClock:
    """A clock that stands still until it is told to go on."""

    def __init__(self, start: float = 0.0) -> None:
        self._now = start

    def now(self) -> float:
        """Seconds, as set."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now += seconds
