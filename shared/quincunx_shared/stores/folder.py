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
import stat
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from quincunx_shared.errors import BlobCorrupt, BlobMissing, StoreError
from quincunx_shared.names import Digest

#: Parts older than this belong to writers that died; a live writer takes milliseconds.
STALE_SECONDS = 3600.0

#: When a blob was last of use is known as exactly as this, where anybody notes it at all.
USED_SECONDS = 60.0

_PARTS = "parts"
_NOTHING = Digest(hashlib.sha256(b"").hexdigest())


@dataclass(frozen=True, slots=True)
class BlobFile:
    """A blob as it lies there."""

    digest: Digest
    size_bytes: int
    written_at: float


class FolderBlobStore:
    """Content-addressed files below a root. Safe for several threads and processes at once."""

    def __init__(self, root: Path) -> None:
        self._root = str(root.absolute())
        # Chance, because the writers of one folder may sit in containers that all count their processes from 1.
        self._writer = os.urandom(8).hex()
        self._numbers = itertools.count()
        self._written_bytes = 0
        with _told("cannot be used as a cache", self._root):
            if not os.path.isdir(f"{self._root}/{_PARTS}"):  # noqa: PTH112
                _make_folders(self._root)
        self._sweep()

    def put(self, digest: Digest, content: bytes | memoryview) -> None:
        """Store bytes under their digest, unless they are there. What is there with another size is replaced."""
        octets = memoryview(content).cast("B")
        target = self._path(digest)
        if _size_of(target) == len(octets):
            return
        part = f"{self._root}/{_PARTS}/{self._writer}-{os.getpid()}-{next(self._numbers)}"
        with _told("the cache cannot be written", target):
            try:
                _write(octets, part, target)
            except FileNotFoundError:
                # Somebody emptied the cache while it is in use, which is their right.
                _make_folders(self._root)
                _write(octets, part, target)
        self._written_bytes += len(octets)

    def get(self, digest: Digest) -> bytes:
        """Return the bytes. A file whose bytes are wrong is removed and reported as `BlobCorrupt`."""
        path = self._path(digest)
        with _told("the cache cannot be read", path):
            try:
                with open(path, "rb") as file:  # noqa: PTH123
                    content = file.read()
            except (FileNotFoundError, NotADirectoryError):
                raise BlobMissing(digest) from None
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                content = None  # A bad sector is a wrong blob like any other.
            if content is None or hashlib.sha256(content).hexdigest() != digest:
                # One that cannot be removed is told at once: it would be computed again and again.
                _remove(path)
                raise BlobCorrupt(digest)
        return content

    def missing(self, digests: Iterable[Digest]) -> set[Digest]:
        """Return the digests that have no file, or an empty one where the digest is not that of nothing."""
        return {digest for digest in digests if _size_of(self._path(digest)) <= 0 and not self._is_nothing(digest)}

    def doubt(self, digests: Iterable[Digest]) -> None:
        """Nothing is remembered here that could be wrong."""

    def flush(self) -> None:
        """Nothing waits here."""

    def count(self) -> int:
        """How many blobs there are."""
        return sum(1 for _ in self._files())

    def size_bytes(self) -> int:
        """How much room they take."""
        return sum(max(0, _size_of(entry.path)) for entry in self._files())

    def files(self) -> Iterator[BlobFile]:
        """Yield every blob, whether its content is right or not."""
        for entry in self._files():
            digest = Digest(f"{entry.path[-len(entry.name) - 3 : -len(entry.name) - 1]}{entry.name}")
            with contextlib.suppress(OSError):
                if names_a_blob(digest) and entry.is_file(follow_symlinks=False):
                    status = entry.stat(follow_symlinks=False)
                    yield BlobFile(digest, status.st_size, status.st_mtime)

    def foreign_files(self) -> Iterator[str]:
        """Yield what lies among the blobs and is none: a path below the root."""
        for folder in _entries(self._root):
            if folder.name == _PARTS:
                continue
            if len(folder.name) != len("ab") or not folder.is_dir(follow_symlinks=False):
                yield folder.name
                continue
            for entry in _entries(folder.path):
                if not names_a_blob(folder.name + entry.name) or not entry.is_file(follow_symlinks=False):
                    yield f"{folder.name}/{entry.name}"

    def holds(self, digest: Digest) -> bool:
        """Whether a blob is there and right, read from the disk; a wrong one stays."""
        try:
            with open(self._path(digest), "rb") as file:  # noqa: PTH123
                return hashlib.file_digest(file, "sha256").hexdigest() == digest
        except OSError:
            return False

    def holding(self, digests: Iterable[Digest]) -> Iterator[tuple[Digest, bool]]:
        """Whether each of many is there and right."""
        return ((digest, self.holds(digest)) for digest in digests)

    def use(self, digest: Digest) -> bool:
        """Whether a blob is there, whatever is in it; notes that it was of use now."""
        path = self._path(digest)
        try:
            # Once a minute is exact enough, and spares the disk a write for each read.
            if time.time() - os.stat(path).st_mtime > USED_SECONDS:  # noqa: PTH116
                os.utime(path)
        except FileNotFoundError:
            return False
        except OSError:
            # It may be read and not changed, or is somebody else's.
            return os.path.isfile(path)  # noqa: PTH113
        return True

    def drop(self, digests: Iterable[Digest]) -> None:
        """Remove blobs."""
        for digest in digests:
            with _told("the cache cannot be emptied", self._path(digest)):
                _remove(self._path(digest))

    def drop_foreign(self, paths: Iterable[str]) -> None:
        """Remove files that are none of ours; folders stay, for somebody made them on purpose."""
        for path in paths:
            place = f"{self._root}/{path}"
            with _told("the cache cannot be emptied", place):
                if not os.path.isdir(place) or os.path.islink(place):  # noqa: PTH112, PTH114
                    _remove(place)

    def take_written(self) -> int:
        """Return how many bytes were written since the last time this was asked."""
        written, self._written_bytes = self._written_bytes, 0
        return written

    def _path(self, digest: Digest) -> str:
        return f"{self._root}/{digest[:2]}/{digest[2:]}"

    def _is_nothing(self, digest: Digest) -> bool:
        return digest == _NOTHING and _size_of(self._path(digest)) == 0

    def _files(self) -> Iterator[os.DirEntry[str]]:
        for folder in _entries(self._root):
            if len(folder.name) == len("ab"):
                yield from _entries(folder.path)

    def _sweep(self) -> None:
        """Remove what dead writers left."""
        oldest = time.time() - STALE_SECONDS
        for entry in _entries(f"{self._root}/{_PARTS}"):
            with contextlib.suppress(OSError):
                if entry.stat().st_mtime < oldest:
                    _remove(entry.path)


def names_a_blob(name: str) -> bool:
    """Whether this could be a digest."""
    return len(name) == 64 and not set(name) - set("0123456789abcdef")


def _write(octets: memoryview, part: str, target: str) -> None:
    try:
        with open(part, "xb", buffering=0) as file:  # noqa: PTH123
            rest = octets
            while rest:
                rest = rest[file.write(rest) :]
        os.replace(part, target)  # noqa: PTH105
    except BaseException:
        with contextlib.suppress(OSError):
            _remove(part)
        raise


def _size_of(path: str) -> int:
    """The size of a file, or -1 if there is none."""
    try:
        status = os.stat(path)  # noqa: PTH116 - asked of ten thousand blobs at once
    except OSError:
        return -1
    return status.st_size if stat.S_ISREG(status.st_mode) else -1


def _remove(path: str) -> None:
    """Remove a file, unless somebody did."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)  # noqa: PTH108


def _make_folders(root: str) -> None:
    """Make all folders at once, the one for parts last: where it stands, the others do."""
    for name in (*(f"{number:02x}" for number in range(256)), _PARTS):
        os.makedirs(f"{root}/{name}", exist_ok=True)  # noqa: PTH103


def _entries(folder: str) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except (FileNotFoundError, NotADirectoryError):
        return


@contextlib.contextmanager
def _told(what: str, place: str) -> Iterator[None]:
    """Turn what the disk says into what a person can act on."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        remedy = "free some room, or choose another place with --cache-dir" if full else "choose another --cache-dir"
        raise StoreError(f"{what}: {error.strerror}", where=place, remedy=remedy) from error
