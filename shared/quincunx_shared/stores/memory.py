"""In-memory forms of every port. Real ones: whole, thread-safe, and gone with the process."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from queue import SimpleQueue

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

    def doubt(self, digests: Iterable[Digest]) -> None:
        """Nothing is remembered here that could be wrong."""

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

    def flush(self, first: Callable[[], None] = lambda: None) -> None:
        """Nothing waits here but what comes first."""
        first()


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
    """Events in a list, and listeners that hear each of them, in order, on threads of their own.

    What a listener does with an event, and how long it takes, is its own affair: it can neither break nor slow down
    the step that reported it. Without a listener an event costs an entry in the list.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._events: list[Event] = []
        self._queues: tuple[SimpleQueue[Event | None], ...] = ()

    def append(self, event: Event) -> int:
        """Add an event."""
        with self._guard:
            self._events.append(event)
            for queue in self._queues:
                queue.put(event)
            return len(self._events) - 1

    def since(self, sequence: int) -> Sequence[Event]:
        """Return the events from a number on."""
        with self._guard:
            return tuple(self._events[sequence:])

    def forget(self) -> None:
        """Drop the events so far, to start over at sequence 0; listeners have heard them."""
        with self._guard:
            self._events.clear()

    @contextlib.contextmanager
    def heard_by(self, listener: Callable[[Event], None]) -> Iterator[None]:
        """Let a listener hear every event until the block ends; then wait until it has heard them all."""
        queue: SimpleQueue[Event | None] = SimpleQueue()
        ear = threading.Thread(target=_hear, args=(queue, listener), name="quincunx-listener", daemon=True)
        ear.start()
        with self._guard:
            self._queues = (*self._queues, queue)
        try:
            yield
        finally:
            with self._guard:
                self._queues = tuple(one for one in self._queues if one is not queue)
            queue.put(None)
            ear.join()


def _hear(queue: SimpleQueue[Event | None], listener: Callable[[Event], None]) -> None:
    while (event := queue.get()) is not None:
        with contextlib.suppress(Exception):
            listener(event)


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
