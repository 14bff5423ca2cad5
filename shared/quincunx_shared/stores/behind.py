"""A blob store that writes behind: `put` returns at once, and threads carry the bytes to the store within.

Storing then overlaps computing. What is not written yet is found all the same, by this process; a crash loses it,
which is a miss like any other and computed again. The last blobs written stay in memory for a while: the next stage
is about to read them.
"""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Iterable
from typing import NoReturn

from quincunx_shared.errors import BlobsLost
from quincunx_shared.names import Digest
from quincunx_shared.ports import BlobStore

#: A writer that is so far behind makes `put` wait, so that a slow disk does not fill the memory.
WAITING_BYTES = 256 * 2**20

#: What was written last stays at hand up to this size: some minutes of sung phrases.
RECENT_BYTES = 64 * 2**20


class BehindBlobStore:
    """Writes behind another store. An error of the store is raised by the next `put` or `flush`.

    What could not be written goes on waiting, and the next `flush` tries again. Were it dropped, a later flush would
    succeed without it, and records would promise what nobody has.

    One writer is enough for a disk; a server far away takes many small blobs at once from several.
    """

    def __init__(self, store: BlobStore, waiting_bytes: int = WAITING_BYTES, writers: int = 1) -> None:
        self._store = store
        self._limit = waiting_bytes
        self._most_writers = writers
        self._changed = threading.Condition()
        self._waiting: dict[Digest, bytes | memoryview] = {}
        self._waiting_size = 0
        # Those of the waiting that no writer has taken up yet, in order.
        self._untaken: dict[Digest, None] = {}
        # Those that the store did not take, and why. They wait on, and stand here until they are tried again.
        self._refused: dict[Digest, Exception] = {}
        # What nobody has heard of yet.
        self._untold: Exception | None = None
        self._recent: OrderedDict[Digest, bytes | memoryview] = OrderedDict()
        self._recent_size = 0
        self._closing = False
        self._writers: list[threading.Thread] = []

    def put(self, digest: Digest, content: bytes | memoryview) -> None:
        """Take the bytes over; they must not change afterwards. Waits while too much is unwritten."""
        with self._changed:
            if self._untold is not None:
                self._raise(self._untold)
            if self._waiting_size > self._limit:
                self._try_again()
            self._changed.wait_for(
                lambda: digest in self._waiting or self._waiting_size <= self._limit or bool(self._refused)
            )
            if self._waiting_size > self._limit and digest not in self._waiting:
                self._raise(next(iter(self._refused.values())))
            # Asked after the wait: two threads may have waited with the same blob, and it is counted once.
            if digest in self._waiting:
                return
            self._waiting[digest] = content
            self._untaken[digest] = None
            self._waiting_size += len(content)
            if len(self._writers) < min(self._most_writers, len(self._waiting)):
                writer = threading.Thread(target=self._write_all, name="quincunx-blobs", daemon=True)
                self._writers.append(writer)
                writer.start()
            self._changed.notify_all()

    def get(self, digest: Digest) -> bytes | memoryview:
        """Return the bytes, from the store or from what is at hand."""
        with self._changed:
            at_hand = self._waiting.get(digest, self._recent.get(digest))
        return self._store.get(digest) if at_hand is None else at_hand

    def fetch_ahead(self, digests: Iterable[Digest]) -> None:
        """Bring blobs to hand that are about to be read, as far as they fit and are good."""
        for digest in digests:
            with self._changed:
                at_hand = digest in self._waiting or digest in self._recent
            # What is at hand is not read again: it is served from here, whatever has become of it on the disk.
            if at_hand:
                continue
            with contextlib.suppress(BlobsLost):
                content = self._store.get(digest)
                with self._changed:
                    if self._recent_size + len(content) > RECENT_BYTES:
                        return
                    self._keep_at_hand(digest, content)

    def missing(self, digests: Iterable[Digest]) -> set[Digest]:
        """Return the digests that are neither waiting nor in the store."""
        with self._changed:
            asked = [digest for digest in digests if digest not in self._waiting]
        return self._store.missing(asked)

    def doubt(self, digests: Iterable[Digest]) -> None:
        """Have the store look again."""
        self._store.doubt(digests)

    def flush(self) -> None:
        """Wait until everything that was put so far is written. What others put meanwhile is waited for by them."""
        with self._changed:
            self._try_again()
            asked = set(self._waiting)
            self._changed.wait_for(lambda: asked.isdisjoint(self._waiting) or not asked.isdisjoint(self._refused))
            for digest, error in self._refused.items():
                if digest in asked:
                    self._raise(error)
        self._store.flush()

    def forget(self) -> None:
        """Let go of what is written and only kept at hand."""
        with self._changed:
            self._recent.clear()
            self._recent_size = 0

    def close(self) -> None:
        """Write what waits, and end the threads."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            writers = list(self._writers)
        for writer in writers:
            writer.join()

    def _try_again(self) -> None:
        """Take up once more what was refused; whether that goes well is another matter."""
        if self._refused:
            self._untold = None
            self._untaken.update(dict.fromkeys(self._refused))
            self._refused.clear()
            self._changed.notify_all()

    def _raise(self, error: Exception) -> NoReturn:
        self._untold = None
        raise error

    def _write_all(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._untaken or self._closing)
                if not self._untaken:
                    return
                digest = next(iter(self._untaken))
                del self._untaken[digest]
                content = self._waiting[digest]
            failed: Exception | None = None
            try:
                self._store.put(digest, content)
            except Exception as error:  # whatever the disk says is said to the one who puts next
                failed = error
            with self._changed:
                if failed is None:
                    self._waiting.pop(digest)
                    self._waiting_size -= len(content)
                    self._keep_at_hand(digest, content)
                else:
                    self._refused[digest] = failed
                    self._untold = self._untold or failed
                self._changed.notify_all()
            # Waiting for the next blob, the thread would hold on to the last one, which may be a whole song.
            del content

    def _keep_at_hand(self, digest: Digest, content: bytes | memoryview) -> None:
        if digest in self._recent:
            return
        self._recent[digest] = content
        self._recent_size += len(content)
        while self._recent_size > RECENT_BYTES:
            _, oldest = self._recent.popitem(last=False)
            self._recent_size -= len(oldest)
