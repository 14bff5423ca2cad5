"""Where the blobs of a farm lie, as one address: `s3://HOST:PORT/BUCKET`, `s3+https://…`, or `file:///FOLDER`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

#: What every S3 server takes as the name of a bucket.
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")

_FORMS = "write s3://HOST:PORT/BUCKET, s3+https://HOST/BUCKET, or file:///FOLDER"


@dataclass(frozen=True)
class BucketAddress:
    """A bucket on an S3 server; `prefix` is empty or ends in a slash."""

    endpoint: str
    bucket: str
    prefix: str = ""
    secure: bool = False


@dataclass(frozen=True)
class FolderAddress:
    """A folder that every machine of the farm sees under the same path."""

    folder: Path


StoreAddress = BucketAddress | FolderAddress


def parse_store(text: str) -> StoreAddress:
    """Read an address. Raises ValueError, which says what is allowed."""
    parts = urlsplit(text)
    if parts.scheme == "file":
        if parts.netloc or not parts.path.startswith("/"):
            raise ValueError(f"a folder is written with its whole path, file:///srv/quincunx; {_FORMS}")
        return FolderAddress(Path(unquote(parts.path)))
    if parts.scheme not in {"s3", "s3+https"} or not parts.hostname:
        raise ValueError(f"this is no address of a store; {_FORMS}")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold keys; use store_access_key_file and store_secret_key_file")
    bucket, _, prefix = unquote(parts.path.strip("/")).partition("/")
    if not _BUCKET.fullmatch(bucket):
        raise ValueError(f"{bucket!r} is no name of a bucket: 3 to 63 of a-z, 0-9, - and .")
    return BucketAddress(parts.netloc, bucket, f"{prefix}/" if prefix else "", parts.scheme == "s3+https")
