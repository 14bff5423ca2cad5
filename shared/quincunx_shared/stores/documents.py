"""Documents: named bytes that may change, in memory and in a folder.

A stored document begins with the SHA-256 of its name and content, so that bytes which were spoilt, or which belong to
another name, are never taken for it.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import threading
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from quincunx_shared.errors import StoreError

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")

#: S3 allows 1024 bytes for a whole key, file systems 255 for a part.
_NAME_LENGTH, _PART_LENGTH = 700, 200

_SEAL_BYTES = 32

#: Where documents are written before they are moved to their place; no name begins with a dot.
_PARTS = ".parts"


def check_name(name: str) -> str:
    """Return the name, or raise ValueError: one that is not allowed is a mistake of the program."""
    if not _NAME.fullmatch(name) or len(name) > _NAME_LENGTH or max(map(len, name.split("/"))) > _PART_LENGTH:
        raise ValueError(f"{name!r} is no name of a document")
    return name


def seal(name: str, content: bytes) -> bytes:
    """Return what is stored of a document."""
    return _seal(name, content) + content


def unseal(name: str, stored: bytes) -> bytes | None:
    """Return the content, or None if these are not the bytes that were stored under this name."""
    content = stored[_SEAL_BYTES:]
    return content if stored[:_SEAL_BYTES] == _seal(name, content) else None


def spoilt(name: str, where: str) -> StoreError:
    """Say that a document is there and not as it was written."""
    return StoreError(f"document {name} is not as it was written", where=where, remedy="delete it, or restore it")


def _seal(name: str, content: bytes) -> bytes:
    return sha256(name.encode() + b"\0" + content).digest()


class MemoryDocuments:
    """Documents in a dictionary."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._documents: dict[str, bytes] = {}

    def put(self, name: str, content: bytes) -> None:
        """Store a document."""
        with self._guard:
            self._documents[check_name(name)] = seal(name, content)

    def get(self, name: str) -> bytes | None:
        """Return a document."""
        with self._guard:
            stored = self._documents.get(check_name(name))
        if stored is None:
            return None
        content = unseal(name, stored)
        if content is None:
            raise spoilt(name, "memory")
        return content

    def names(self, prefix: str = "") -> list[str]:
        """Return the names that begin like this, sorted."""
        with self._guard:
            return sorted(name for name in self._documents if name.startswith(prefix))

    def delete(self, name: str) -> None:
        """Remove a document."""
        with self._guard:
            self._documents.pop(check_name(name), None)


class FolderDocuments:
    """Documents as files below a root. Safe for several threads and processes at once."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        self._writer = os.urandom(8).hex()
        self._numbers = itertools.count()

    def put(self, name: str, content: bytes) -> None:
        """Store a document: written beside its place, then moved into it."""
        target = self._root / check_name(name)
        part = self._root / _PARTS / f"{self._writer}-{os.getpid()}-{next(self._numbers)}"
        with _told("a document cannot be written", target):
            part.parent.mkdir(parents=True, exist_ok=True)
            try:
                with part.open("xb") as file:
                    file.write(seal(name, content))
                    file.flush()
                    # Unlike a blob, nobody can compute a document again.
                    os.fsync(file.fileno())
                target.parent.mkdir(parents=True, exist_ok=True)
                part.replace(target)
            finally:
                part.unlink(missing_ok=True)

    def get(self, name: str) -> bytes | None:
        """Return a document."""
        path = self._root / check_name(name)
        with _told("a document cannot be read", path):
            try:
                stored = path.read_bytes()
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                return None
        content = unseal(name, stored)
        if content is None:
            raise spoilt(name, str(path))
        return content

    def names(self, prefix: str = "") -> list[str]:
        """Return the names that begin like this, sorted. Walks only the folder that the prefix names."""
        folder = self._root / prefix.rpartition("/")[0]
        found = []
        with _told("documents cannot be listed", folder):
            for place, folders, files in os.walk(folder):
                folders[:] = [one for one in folders if one != _PARTS]
                found += [Path(place, one).relative_to(self._root).as_posix() for one in files]
        return sorted(name for name in found if name.startswith(prefix) and _NAME.fullmatch(name))

    def delete(self, name: str) -> None:
        """Remove a document."""
        path = self._root / check_name(name)
        with _told("a document cannot be removed", path), contextlib.suppress(FileNotFoundError, NotADirectoryError):
            path.unlink()


@contextlib.contextmanager
def _told(what: str, place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(f"{what}: {error.strerror}", where=str(place)) from error
