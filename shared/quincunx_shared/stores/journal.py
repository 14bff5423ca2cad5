"""The journal of a signature index: its records as documents, so that an index which lost everything can be rebuilt.

    records/<milliseconds>-<chance>     compressed: per record  signature 32 bytes · length u32 · `record.pack`

Written late and in batches, because it is read only after a disaster: what is not in it by then is computed again.
What was forgotten stays in it; its blobs are gone, so that whoever recalls it forgets it again.
"""

from __future__ import annotations

import contextlib
import os
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from quincunx_shared.errors import StoreError, StoreUnreachable
from quincunx_shared.names import Signature
from quincunx_shared.ports import Documents, Outputs, SignatureIndex
from quincunx_shared.stores.record import pack, unpack

RECORDS = "records/"

#: A document is written when so many records wait, or when the first of them has waited so long.
WAITING, WAITING_SECONDS = 2000, 10.0

_HEAD = struct.Struct("<32sI")

#: So many documents are read at once.
_READ_AT_ONCE = 12


class JournalledIndex:
    """A signature index that notes in a journal what is added to it. Call `close` to write what waits.

    A store that does not take the journal costs nothing but the journal: the records wait for the next try.
    """

    def __init__(
        self,
        index: SignatureIndex,
        documents: Documents,
        waiting_seconds: float = WAITING_SECONDS,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._index = index
        self._documents = documents
        self._waiting_seconds = waiting_seconds
        self._now = now
        self._guard = threading.Lock()
        self._writing = threading.Lock()
        self._waiting: dict[Signature, Outputs] = {}
        self._timer: threading.Timer | None = None

    def find(self, signatures: Iterable[Signature]) -> Mapping[Signature, Outputs]:
        """Return what is known."""
        return self._index.find(signatures)

    def add(self, records: Mapping[Signature, Outputs]) -> None:
        """Add records, and have them journalled."""
        self._index.add(records)
        with self._guard:
            self._waiting.update(records)
            if self._timer is None and self._waiting:
                self._timer = threading.Timer(self._waiting_seconds, self._write_if_possible)
                self._timer.daemon = True
                self._timer.start()
            is_due = len(self._waiting) >= WAITING
        if is_due:
            self._write_if_possible()

    def flush(self, first: Callable[[], None] = lambda: None) -> None:
        """Let every process find what was added; the journal may take its time."""
        self._index.flush(first)

    def forget(self, signatures: Iterable[Signature]) -> None:
        """Drop records."""
        names = list(signatures)
        with self._guard:
            for name in names:
                self._waiting.pop(name, None)
        self._index.forget(names)

    def close(self) -> None:
        """Write what waits, as far as the store takes it."""
        self._write_if_possible()

    def _write_if_possible(self) -> None:
        with contextlib.suppress(StoreError):
            self.write()

    def write(self) -> None:
        """Write what waits. Raises `StoreError`; the records wait on then."""
        with self._writing:
            with self._guard:
                if self._timer is not None:
                    self._timer.cancel()
                    self._timer = None
                taken, self._waiting = self._waiting, {}
            if not taken:
                return
            try:
                self._documents.put(name_at(self._now()), packed(taken))
            except StoreError:
                with self._guard:
                    self._waiting = {**taken, **self._waiting}
                raise


def journalled(documents: Documents, names: Sequence[str]) -> Iterator[tuple[str, Mapping[Signature, Outputs]]]:
    """Yield these documents of the journal with their records. Spoilt ones count as empty."""
    with ThreadPoolExecutor(_READ_AT_ONCE, thread_name_prefix="quincunx-journal") as pool:
        for start in range(0, len(names), 8 * _READ_AT_ONCE):
            part = names[start : start + 8 * _READ_AT_ONCE]
            yield from zip(part, pool.map(lambda name: _read(documents, name), part), strict=True)


def rebuild(index: SignatureIndex, documents: Documents) -> int:
    """Add to an index all that the journal knows, and return how many records that is. May be done at any time.

    Raises `StoreUnreachable`. The first writer wins here too: records are added in the order in which they came.
    """
    count = 0
    for _, records in journalled(documents, documents.names(RECORDS)):
        index.add(records)
        # One after the other: the whole of a journal is more than should wait in memory.
        index.flush()
        count += len(records)
    return count


def name_at(seconds: float) -> str:
    """Name a document of the journal that is written at this time."""
    return f"{RECORDS}{int(seconds * 1000):014d}-{os.urandom(6).hex()}"


def written_at(name: str) -> float:
    """When a document was written, or the first of those it was merged from."""
    told = name.removeprefix(RECORDS).partition("-")[0]
    return int(told) / 1000 if told.isdecimal() else 0.0


def packed(records: Mapping[Signature, Outputs]) -> bytes:
    """Write records as a document."""
    rows = []
    for name, outputs in records.items():
        key = bytes.fromhex(name)
        record = pack(key, outputs)
        rows += [_HEAD.pack(key, len(record)), record]
    return zlib.compress(b"".join(rows), level=1)


def _read(documents: Documents, name: str) -> Mapping[Signature, Outputs]:
    try:
        content = documents.get(name)
        return dict(_unpacked(zlib.decompress(content))) if content else {}
    except StoreUnreachable:
        raise
    except (StoreError, zlib.error, struct.error):
        # One document that was spoilt is no reason to lose the others.
        return {}


def _unpacked(content: bytes) -> Iterator[tuple[Signature, Outputs]]:
    at = 0
    while at < len(content):
        key, size = _HEAD.unpack_from(content, at)
        at += _HEAD.size
        outputs = unpack(key, content[at : at + size])
        at += size
        if outputs is not None:
            yield Signature(key.hex()), outputs
