"""The store of a farm, as settings name it: its blobs and its documents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from quincunx_shared.errors import BadInput
from quincunx_shared.farm.secret_file import read_secret
from quincunx_shared.farm.settings import FarmSettings
from quincunx_shared.farm.store_address import BucketAddress, FolderAddress, parse_store
from quincunx_shared.names import Digest
from quincunx_shared.ports import BlobStore, Documents
from quincunx_shared.stores.behind import BehindBlobStore
from quincunx_shared.stores.documents import FolderDocuments
from quincunx_shared.stores.folder import FolderBlobStore
from quincunx_shared.stores.machine_cache import MachineCache
from quincunx_shared.stores.patience import Patience
from quincunx_shared.stores.shelf import Shelf

#: So many blobs are on their way to a server at once.
SENT_AT_ONCE = 8


@dataclass(frozen=True)
class FarmStore:
    """What all machines of a farm share. `machine` is this machine's cache of it, where one is needed.

    `shelf` are the blobs once more, one by one, for those who look after them.
    """

    blobs: BlobStore
    shelf: Shelf
    documents: Documents
    where: str
    machine: MachineCache | None = None
    close: Callable[[], None] = lambda: None

    def fetch_soon(self, digests: Sequence[Digest]) -> None:
        """Begin to bring blobs to this machine that are about to be read, and return at once."""
        if self.machine is not None and digests:
            self.machine.fetch_soon(digests)

    def behind(self) -> BehindBlobStore:
        """The blobs, written behind; the caller closes it before the store."""
        return BehindBlobStore(self.blobs, writers=1 if self.machine is None else SENT_AT_ONCE)


def store_from(settings: FarmSettings) -> FarmStore:
    """Open the store of a farm. Nothing is asked of a server yet; every process opens its own.

    Raises `BadInput` for settings that lack something, `BadSecret` for keys that cannot be read, and `StoreError` for
    a folder that cannot be used.
    """
    if not settings.store:
        raise BadInput("no store is named", where="store", remedy="set store, or start a farm with `quincunx dev`")
    address = parse_store(settings.store)
    if isinstance(address, FolderAddress):
        return _in_folder(address.folder)
    return _on_server(address, settings)


def import_store(settings: FarmSettings) -> None:
    """Import what the store needs, and open nothing: for a process whose forks are to open it soon."""
    if isinstance(parse_store(settings.store), BucketAddress):
        import_module("quincunx_shared.stores.bucket")
        import_module("quincunx_shared.stores.s3")


def machine_folder(settings: FarmSettings) -> Path:
    """Where this machine keeps blobs of the farm that it used."""
    if settings.cache_dir is not None:
        return settings.cache_dir
    from platformdirs import user_cache_path

    return user_cache_path("quincunx", appauthor=False) / "farm"


def _in_folder(folder: Path) -> FarmStore:
    blobs = FolderBlobStore(folder / "blobs")
    return FarmStore(blobs, blobs, FolderDocuments(folder / "documents"), folder.as_uri())


def _on_server(address: BucketAddress, settings: FarmSettings) -> FarmStore:
    # Here, because the client takes a tenth of a second to import, and a farm in a folder does without.
    from quincunx_shared.stores.bucket import open_bucket
    from quincunx_shared.stores.s3 import S3BlobStore, S3Documents

    bucket = open_bucket(
        address,
        _secret(settings.store_access_key_file, "store_access_key_file"),
        _secret(settings.store_secret_key_file, "store_secret_key_file"),
        region=settings.store_region,
        patience=Patience(settings.store_timeout_seconds, settings.store_retries),
        ca_file=settings.store_ca_file,
    )
    remote = S3BlobStore(bucket)
    machine = MachineCache(remote, machine_folder(settings), settings.cache_size)

    def close() -> None:
        machine.close()
        remote.close()

    return FarmStore(machine, remote, S3Documents(bucket), bucket.where, machine, close)


def _secret(path: Path | None, name: str) -> str:
    if path is None:
        raise BadInput("a store on a server needs keys", where=name, remedy=f"set {name}")
    return read_secret(path).decode("utf-8", "replace")
