"""The bucket of a farm, made with the key that may make one."""

from __future__ import annotations

from quincunx_shared.errors import BadInput
from quincunx_shared.farm.secret_file import read_secret
from quincunx_shared.farm.settings import FarmSettings
from quincunx_shared.farm.store_address import BucketAddress, parse_store
from quincunx_shared.stores.bucket import open_bucket


def make_bucket(settings: FarmSettings) -> bool:
    """Make the bucket that the settings name. False if it is there already, or the store is a folder.

    Raises `BadInput` for settings that lack something, `BadSecret`, and `StoreError`.
    """
    address = parse_store(settings.store)
    if not isinstance(address, BucketAddress):
        return False
    access, secret = settings.store_access_key_file, settings.store_secret_key_file
    if access is None or secret is None:
        raise BadInput("a bucket needs both keys", where="store_access_key_file, store_secret_key_file")
    keys = (read_secret(access).decode(), read_secret(secret).decode())
    bucket = open_bucket(address, *keys, region=settings.store_region, ca_file=settings.store_ca_file)
    if bucket.exists():
        return False
    bucket.make()
    return True
