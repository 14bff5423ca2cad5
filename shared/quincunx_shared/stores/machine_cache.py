"""The blobs of a store that all machines share, with those at hand that this machine used.

    get   this machine's folder, verified  ──absent or wrong──►  the store, verified  ──►  kept in the folder
    put   the store first, for it is the truth  ──►  kept in the folder

All processes of a machine use one folder. What was not used for longest leaves it when it grows too large. A folder
that cannot be written makes everything slower and nothing wrong.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from quincunx_shared.errors import BlobsLost, StoreError
from quincunx_shared.eviction import Aged, evictions
from quincunx_shared.names import Digest
from quincunx_shared.ports import BlobStore
from quincunx_shared.stores.folder import FolderBlobStore

#: Whether there is room is looked at when this share of the limit was written. Every process counts for itself.
LOOKED_AT_SHARE = 1 / 64

#: What was used within this time stays, whatever the limit: somebody was given its path.
IN_USE_SECONDS = 120.0

#: Whoever wants a blob that another is fetching waits so long, then fetches it as well: a store that does not answer
#: would otherwise be waited for by one after the other.
PATIENT_SECONDS = 15.0

#: How often is looked whether the other is done.
_LOOK_SECONDS = 0.005

#: So many blobs come over the network at once.
FETCHED_AT_ONCE = 12


class MachineCache:
    """A blob store: the remote one, with a folder in front."""

    def __init__(self, remote: BlobStore, folder: Path, limit_bytes: float) -> None:
        self._remote = remote
        self._folder = folder
        self._limit = limit_bytes
        # One that cannot even be made is told at once: it is a mistake in the settings, not a full disk.
        self._near = FolderBlobStore(folder / "blobs")
        self._unlooked = limit_bytes * LOOKED_AT_SHARE
        self._pool = ThreadPoolExecutor(FETCHED_AT_ONCE, thread_name_prefix="quincunx-fetch")
        #: Why the folder could not be used last, for those who look after the machine.
        self.trouble: StoreError | None = None

    def put(self, digest: Digest, content: bytes | memoryview) -> None:
        """Store bytes for all machines, and keep them here."""
        self._remote.put(digest, content)
        self._keep(digest, content)

    def get(self, digest: Digest) -> bytes | memoryview:
        """Return the bytes, verified wherever they come from."""
        near = self._near_content(digest)
        if near is not None:
            return near
        with self._alone(digest):
            near = self._near_content(digest)
            if near is not None:
                return near
            content = self._remote.get(digest)
            self._keep(digest, content)
            return content

    def missing(self, digests: Iterable[Digest]) -> set[Digest]:
        """Return the digests that the store lacks. What lies here alone does no other machine any good."""
        return self._remote.missing(digests)

    def doubt(self, digests: Iterable[Digest]) -> None:
        """Have the store look again."""
        self._remote.doubt(digests)

    def flush(self) -> None:
        """Let every machine find what was put."""
        self._remote.flush()

    def fetch(self, digests: Iterable[Digest]) -> None:
        """Bring blobs to this machine, many at once. Those that are lost are told when somebody reads them."""
        for one in self.fetch_soon(digests):
            one.result()

    def fetch_soon(self, digests: Iterable[Digest]) -> list[Future[None]]:
        """Begin to bring blobs to this machine, in this order, and return at once. Who reads one waits for it alone."""
        asked = list(dict.fromkeys(digests))
        absent = self._near.missing(asked)
        return [self._pool.submit(self._fetch_one, one) for one in asked if one in absent]

    def file(self, digest: Digest) -> Path:
        """Return a file with the blob, which stays for some minutes at least. Its reader has to verify it.

        Raises `BlobsLost` if it is nowhere, and `StoreError` if this machine cannot keep it.
        """
        path = self._folder / "blobs" / digest[:2] / digest[2:]
        if not self._near.use(digest):
            with self._alone(digest):
                if not self._near.use(digest):
                    self._near.put(digest, self._remote.get(digest))
                    self._count(path.stat().st_size)
        return path

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(cancel_futures=True)

    def make_room(self) -> None:
        """Remove what was not used for longest, until the rest fits. One process of the machine does it at a time."""
        with _locked(self._folder / "sweep.lock", 0.0) as mine:
            if mine:
                border = time.time() - IN_USE_SECONDS
                ages = [
                    Aged(one.digest, one.size_bytes, one.written_at, one.written_at > border)
                    for one in self._near.files()
                ]
                self._near.drop(evictions(ages, self._limit))

    def _near_content(self, digest: Digest) -> bytes | None:
        try:
            content = self._near.get(digest)
        except BlobsLost:
            return None
        except StoreError as error:
            self.trouble = error
            return None
        self._near.use(digest)
        return content

    def _keep(self, digest: Digest, content: bytes | memoryview) -> None:
        """Keep bytes here as far as that is possible."""
        try:
            self._near.put(digest, content)
            self._count(len(content))
        except StoreError as error:
            self.trouble = error

    def _count(self, size_bytes: int) -> None:
        self._unlooked += size_bytes
        if self._unlooked >= self._limit * LOOKED_AT_SHARE:
            self._unlooked = 0.0
            self.make_room()

    def _fetch_one(self, digest: Digest) -> None:
        # Whoever asked ahead may not need it any more, and whoever reads it is told.
        with contextlib.suppress(StoreError):
            self.get(digest)

    @contextlib.contextmanager
    def _alone(self, digest: Digest) -> Iterator[None]:
        """Let one process and thread of the machine fetch a blob; the others find it here afterwards."""
        with _locked(self._folder / "fetching" / digest[:2], PATIENT_SECONDS):
            yield


@contextlib.contextmanager
def _locked(path: Path, patient_seconds: float) -> Iterator[bool]:
    """Hold a lock that dies with the process; yield False if another has it for longer than one is patient."""
    if sys.platform == "win32":
        yield True
        return
    import fcntl

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("ab")
    except OSError:
        # Without a lock two may fetch the same, which is no harm.
        yield True
        return
    with file:
        until = time.monotonic() + patient_seconds
        mine = False
        while not mine:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                mine = True
            except BlockingIOError:
                if time.monotonic() >= until:
                    break
                time.sleep(_LOOK_SECONDS)
        yield mine
