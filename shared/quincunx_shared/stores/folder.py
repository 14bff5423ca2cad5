"""Blobs as files in a folder: `ab/cdef…`, named by their content, whole or absent.

A blob is written beside its place and then renamed into it, so no reader ever sees half of one. There is no fsync:
reads are verified, and a file that a power cut tore is a miss that heals itself, which is cheaper than waiting for
the disk at every step.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import itertools
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from quincunx_shared.errors import BlobCorrupt, BlobMissing, StoreError
from quincunx_shared.names import Digest

#: Parts older than this belong to writers that died; a live writer takes milliseconds.
STALE_SECONDS = 3600.0

_PARTS = "parts"


class FolderBlobStore:
    """Content-addressed files below a root. Safe for several threads and processes at once."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self._parts = os.path.join(self._root, _PARTS)  # noqa: PTH118 - strings, because this path is hot
        self._numbers = itertools.count()
        with _told("cannot be used as a cache", root):
            _make_folders(root)
        self._sweep()

    def put(self, digest: Digest, content: bytes | memoryview) -> None:
        """Store bytes under their digest, unless they are there."""
        target = self._path(digest)
        if os.path.exists(target):  # noqa: PTH110
            return
        part = f"{self._parts}/{os.getpid()}-{id(self):x}-{next(self._numbers)}"
        with _told("the cache cannot be written", Path(target)):
            try:
                _write_new(part, content)
                os.replace(part, target)  # noqa: PTH105
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(part)  # noqa: PTH108
                raise

    def get(self, digest: Digest) -> bytes:
        """Return the bytes. A file whose bytes are wrong is removed and reported as `BlobCorrupt`."""
        path = self._path(digest)
        try:
            with open(path, "rb") as file:  # noqa: PTH123
                content = file.read()
        except FileNotFoundError:
            raise BlobMissing(digest) from None
        except OSError:
            # Unreadable is as good as wrong: drop it if that can be done, and let it be computed again.
            content = b""
        if hashlib.sha256(content).hexdigest() != digest:
            with contextlib.suppress(OSError):
                os.unlink(path)  # noqa: PTH108
            raise BlobCorrupt(digest)
        return content

    def missing(self, digests: Iterable[Digest]) -> set[Digest]:
        """Return the digests that have no file, or an empty one where the digest is not that of nothing."""
        return {digest for digest in digests if not self._is_here(digest)}

    def flush(self) -> None:
        """Nothing waits here."""

    def count(self) -> int:
        """How many blobs there are."""
        return sum(1 for _ in self._files())

    def size_bytes(self) -> int:
        """How much room they take."""
        return sum(entry.stat().st_size for entry in self._files())

    def _path(self, digest: Digest) -> str:
        return f"{self._root}/{digest[:2]}/{digest[2:]}"

    def _is_here(self, digest: Digest) -> bool:
        try:
            return os.stat(self._path(digest)).st_size > 0 or digest == _NOTHING  # noqa: PTH116
        except OSError:
            return False

    def _files(self) -> Iterator[os.DirEntry[str]]:
        for folder in _entries(self._root):
            if len(folder.name) == len("ab"):
                yield from _entries(folder.path)

    def _sweep(self) -> None:
        """Remove what dead writers left."""
        oldest = time.time() - STALE_SECONDS
        for entry in _entries(self._parts):
            with contextlib.suppress(OSError):
                if entry.stat().st_mtime < oldest:
                    os.unlink(entry.path)  # noqa: PTH108


_NOTHING = hashlib.sha256(b"").hexdigest()


def _write_new(path: str, content: bytes | memoryview) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]
    finally:
        os.close(descriptor)


def _make_folders(root: Path) -> None:
    """Make all folders at once, the one for parts last: where it stands, the others do."""
    if (root / _PARTS).is_dir():
        return
    root.mkdir(parents=True, exist_ok=True)
    for number in range(256):
        (root / f"{number:02x}").mkdir(exist_ok=True)
    (root / _PARTS).mkdir(exist_ok=True)


def _entries(folder: str) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except (FileNotFoundError, NotADirectoryError):
        return


@contextlib.contextmanager
def _told(what: str, place: Path) -> Iterator[None]:
    """Turn what the disk says into what a person can act on."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        remedy = "free some room, or choose another place with --cache-dir" if full else "choose another --cache-dir"
        raise StoreError(f"{what}: {error.strerror}", where=str(place), remedy=remedy) from error
