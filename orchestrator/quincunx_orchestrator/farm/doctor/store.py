"""What can be wrong with the store of a farm: not there, no bucket, or not allowed."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from quincunx_orchestrator.farm.doctor.findings import Finding, fault, fine, skipped
from quincunx_shared.errors import StoreError, StoreUnreachable
from quincunx_shared.farm.secret_file import BadSecret, read_secret
from quincunx_shared.farm.settings import FarmSettings
from quincunx_shared.farm.store_address import BucketAddress, parse_store
from quincunx_shared.stores.bucket import Bucket, open_bucket
from quincunx_shared.stores.patience import Patience

#: Somebody waits for the answer; a store that needs longer is worth a word.
PATIENCE_SECONDS = 5.0

_CONTENT = b"quincunx doctor"


def check_store(settings: FarmSettings) -> Iterator[Finding]:
    """Examine the store with the keys of these settings."""
    if not settings.store:
        yield fault("store", "no store is named", "set QUINCUNX_FARM_STORE")
        return
    address = parse_store(settings.store)
    if isinstance(address, BucketAddress):
        try:
            bucket = _opened(settings, address)
        except BadSecret as error:
            yield skipped("store", f"its keys cannot be read: {error.where}")
            return
        yield from check_bucket(bucket, address.bucket)
    else:
        yield _check_folder(address.folder)


def check_bucket(bucket: Bucket, name: str) -> Iterator[Finding]:
    """The server answers, the bucket is there, and this key may do in it what the farm does."""
    try:
        there = bucket.exists()
    except StoreUnreachable as error:
        yield fault("store", f"{bucket.where}: {error.what}", "start it, or correct the address", unreachable=True)
        yield from (skipped(one, "the store does not answer") for one in ("bucket", "bucket rights"))
        return
    except StoreError as error:
        yield fine("store", f"{bucket.where} answers")
        yield fault("bucket rights", error.what, "check the files of the keys, and the policy of the bucket")
        return
    yield fine("store", f"{bucket.where} answers")
    if not there:
        yield fault("bucket", f"there is no bucket {name}", f"make it, as `mc mb` or `aws s3 mb s3://{name}` do")
        yield skipped("bucket rights", "there is no bucket")
        return
    yield fine("bucket", f"{name} is there")
    yield _check_rights(bucket)


def _check_rights(bucket: Bucket) -> Finding:
    """Write, read, list and remove an object."""
    key = f"doctor/{uuid.uuid4().hex}"
    steps: dict[str, Callable[[], object]] = {
        "write": lambda: bucket.put(key, _CONTENT),
        "read": lambda: bucket.get(key) == _CONTENT,
        "list": lambda: bool(bucket.page("doctor/", key[:-1], 1)),
        "remove": lambda: bucket.delete((key,)),
    }
    for what, step in steps.items():
        try:
            wrong = step() is False
        except StoreError as error:
            remedy = "give the key the rights to put, get, list and delete in this bucket"
            return fault("bucket rights", f"cannot {what} an object: {error.what}", remedy)
        if wrong:
            return fault("bucket rights", f"an object that was written cannot be {what}", "look at the store itself")
    return fine("bucket rights", "objects can be written, read, listed and removed")


def _check_folder(folder: Path) -> Finding:
    probe = folder / f".doctor-{uuid.uuid4().hex}"
    try:
        probe.write_bytes(_CONTENT)
        probe.unlink()
    except OSError as error:
        remedy = f"make the folder on every machine of the farm: mkdir -p {folder}"
        return fault("store", f"{folder} cannot be written to: {error.strerror}", remedy)
    return fine("store", f"{folder} can be written to")


def _opened(settings: FarmSettings, address: BucketAddress) -> Bucket:
    access, secret = settings.store_access_key_file, settings.store_secret_key_file
    return open_bucket(
        address,
        read_secret(access).decode() if access else "",
        read_secret(secret).decode() if secret else "",
        region=settings.store_region,
        patience=Patience(min(PATIENCE_SECONDS, settings.store_timeout_seconds), 1),
        ca_file=settings.store_ca_file,
    )
