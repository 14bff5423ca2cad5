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
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor

from quincunx_shared.errors import StoreError, StoreUnreachable
from quincunx_shared.names import Signature
from quincunx_shared.ports import BlobStore, Documents, Outputs, SignatureIndex
from quincunx_shared.stores.record import pack, unpack

RECORDS = "records/"

#: A document is written when so many records wait, or when the first of them has waited so long.
WAITING, WAITING_SECONDS = 2000, 10.0

#: Documents younger than this may not be listed yet, or have neighbours on their way; they are left alone.
SETTLED_SECONDS = 600.0

#: A merged document holds so many records: a few megabytes.
MERGED = 20_000

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
                self._documents.put(_name_at(self._now()), _packed(taken))
            except StoreError:
                with self._guard:
                    self._waiting = {**taken, **self._waiting}
                raise


def journalled(documents: Documents, before: float | None = None) -> Iterator[tuple[str, Mapping[Signature, Outputs]]]:
    """Yield every document of the journal with its records, the oldest first. Spoilt ones count as empty."""
    names = [name for name in documents.names(RECORDS) if before is None or _written_at(name) < before]
    with ThreadPoolExecutor(_READ_AT_ONCE, thread_name_prefix="quincunx-journal") as pool:
        for start in range(0, len(names), 8 * _READ_AT_ONCE):
            part = names[start : start + 8 * _READ_AT_ONCE]
            yield from zip(part, pool.map(lambda name: _read(documents, name), part), strict=True)


def rebuild(index: SignatureIndex, documents: Documents) -> int:
    """Add to an index all that the journal knows, and return how many records that is. May be done at any time.

    Raises `StoreUnreachable`. The first writer wins here too: records are added in the order in which they came.
    """
    count = 0
    for _, records in journalled(documents):
        index.add(records)
        # One after the other: the whole of a journal is more than should wait in memory.
        index.flush()
        count += len(records)
    return count


def compact(
    blobs: BlobStore,
    documents: Documents,
    dropped: AbstractSet[Signature] = frozenset(),
    settled_seconds: float = SETTLED_SECONDS,
) -> int:
    """Merge the documents of the journal, without what was dropped and what has lost its blobs; return how many are
    left of them.

    The blobs decide and not the index, which may have lost what the journal is for. Nothing is deleted before what it
    held is written again, so this may be broken off, or run twice at once.
    """
    merged: dict[Signature, Outputs] = {}
    replaced: list[str] = []
    left = 0
    for name, records in journalled(documents, time.time() - settled_seconds):
        replaced.append(name)
        for signature, outputs in records.items():
            merged.setdefault(signature, outputs)
        if len(merged) >= MERGED:
            left += _merge(blobs, documents, merged, replaced, dropped)
            merged, replaced = {}, []
    return left + (_merge(blobs, documents, merged, replaced, dropped) if replaced else 0)


def _merge(
    blobs: BlobStore,
    documents: Documents,
    merged: Mapping[Signature, Outputs],
    replaced: Sequence[str],
    dropped: AbstractSet[Signature],
) -> int:
    promised = {ref.digest for outputs in merged.values() for ref in outputs if ref.inline is None}
    missing = blobs.missing(promised)
    kept = {
        name: outputs
        for name, outputs in merged.items()
        if name not in dropped and not any(ref.inline is None and ref.digest in missing for ref in outputs)
    }
    if len(replaced) == 1 and len(kept) == len(merged) > 0:
        return 1
    if kept:
        documents.put(_name_at(_written_at(replaced[0])), _packed(kept))
    for name in replaced:
        documents.delete(name)
    return int(bool(kept))


def _name_at(seconds: float) -> str:
    return f"{RECORDS}{int(seconds * 1000):014d}-{os.urandom(6).hex()}"


def _written_at(name: str) -> float:
    told = name.removeprefix(RECORDS).partition("-")[0]
    return int(told) / 1000 if told.isdecimal() else 0.0


def _packed(records: Mapping[Signature, Outputs]) -> bytes:
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
