"""The cache of one machine: a folder with blobs, and beside them the index."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from quincunx_shared.stores.claims import Claims
from quincunx_shared.stores.database import SCHEMA, SqliteDatabase
from quincunx_shared.stores.file_digests import FileDigests
from quincunx_shared.stores.folder import FolderBlobStore
from quincunx_shared.stores.history_log import SqliteHistory
from quincunx_shared.stores.owners import SCHEMA as OWNERS
from quincunx_shared.stores.owners import TABLES, SqliteOwners
from quincunx_shared.stores.sqlite import SqliteIndex
from quincunx_shared.stores.upkeep import MachineUpkeep


@dataclass(frozen=True)
class Cache:
    """Blobs, signatures, and the last render of each song."""

    blobs: FolderBlobStore
    index: SqliteIndex
    history: SqliteHistory
    database: SqliteDatabase
    claims: Claims
    root: Path

    @cached_property
    def owners(self) -> SqliteOwners:
        """Whose the results are; opened when somebody first asks."""
        return SqliteOwners(SqliteDatabase(self.root / f"owners-{OWNERS}.sqlite", TABLES, OWNERS))

    @cached_property
    def file_digests(self) -> FileDigests:
        """The digests of large files that are known from last time."""
        return FileDigests(self.database)

    @cached_property
    def upkeep(self) -> MachineUpkeep:
        """Who looks after the cache."""
        return MachineUpkeep(self.root, self.blobs, self.index, self.owners)

    def close(self) -> None:
        """Close the index; blobs need no closing."""
        with closing(self.claims), closing(self.database):
            self.index.flush()
        if "owners" in vars(self):
            self.owners.close()


def open_cache(root: Path) -> Cache:
    """Open the cache in a folder, making it if need be. Raises `StoreError` where that cannot be done."""
    return cache_of(root, FolderBlobStore(root / "blobs"))


def cache_of(root: Path, blobs: FolderBlobStore) -> Cache:
    """Open a cache in a folder with these blobs."""
    database = SqliteDatabase(index_path(root))
    return Cache(blobs, SqliteIndex(database), SqliteHistory(database), database, Claims(root / "claims.lock"), root)


def index_path(root: Path) -> Path:
    """Where the index of the cache in a folder lies."""
    return root / f"index-{SCHEMA}.sqlite"
