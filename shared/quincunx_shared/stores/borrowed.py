"""A cache that may be read and not written, such as a studio's on a shared disk.

What it holds is recalled from it. What is rendered on it lies in a folder of its own, which the caller removes.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from quincunx_shared.errors import BlobMissing
from quincunx_shared.names import Digest
from quincunx_shared.stores.cache_folder import Cache, cache_of, index_path
from quincunx_shared.stores.folder import FolderBlobStore


class BorrowedBlobStore(FolderBlobStore):
    """Blobs in a folder, and behind them those of a lender, which stays as it is."""

    def __init__(self, root: Path, lender: Path) -> None:
        super().__init__(root)
        self._lender = lender
        self._spoilt: set[Digest] = set()

    def get(self, digest: Digest) -> bytes:
        """Return the bytes. A blob of the lender's that is wrong is missing from then on."""
        try:
            return super().get(digest)
        except BlobMissing:
            content = self._lent(digest)
        if content is None or hashlib.sha256(content).hexdigest() != digest:
            self._spoilt.add(digest)
            raise BlobMissing(digest)
        return content

    def missing(self, digests: Iterable[Digest]) -> set[Digest]:
        """Return the digests that neither has."""
        return {one for one in super().missing(digests) if one in self._spoilt or not self._has_lent(one)}

    def _lent(self, digest: Digest) -> bytes | None:
        try:
            return self._place(digest).read_bytes()
        except OSError:
            return None

    def _has_lent(self, digest: Digest) -> bool:
        try:
            return self._place(digest).stat().st_size > 0
        except OSError:
            return False

    def _place(self, digest: Digest) -> Path:
        return self._lender / digest[:2] / digest[2:]


def may_only_be_read(root: Path) -> bool:
    """Whether there is a cache in a folder that this process may read and not write."""
    return os.access(index_path(root), os.R_OK) and not os.access(root, os.W_OK)


def borrow_cache(lender: Path, root: Path) -> Cache:
    """Open a cache in the folder `root` that recalls what the cache of a lender holds now."""
    index = index_path(lender)
    for suffix in ("", "-wal"):
        if (part := index.with_name(index.name + suffix)).exists():
            # Copied while somebody writes, it may come out broken: it is then begun anew like any other.
            shutil.copyfile(part, root / part.name)
    return cache_of(root, BorrowedBlobStore(root / "blobs", lender / "blobs"))
