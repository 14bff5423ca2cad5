"""A bucket on an S3 server: keys and bytes. The only module that knows an S3 client.

Works with what plain S3 is: put, get, list, delete, multipart. Nothing here needs conditional writes, versions or
notifications, which servers do not agree on. Not to be used across a fork: every process opens its own.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from xml.etree.ElementTree import ParseError

import certifi
from minio import Minio
from minio.commonconfig import Filter
from minio.deleteobjects import DeleteObject
from minio.error import InvalidResponseError, MinioException, S3Error
from minio.lifecycleconfig import AbortIncompleteMultipartUpload, LifecycleConfig, Rule
from urllib3.exceptions import HTTPError

from quincunx_shared.errors import StoreError, StoreRefused, StoreUnreachable
from quincunx_shared.farm.store_address import BucketAddress
from quincunx_shared.stores.patience import Patience
from quincunx_shared.stores.patient_pool import PatientPool

#: What a server gives with one question.
PAGE = 1000

#: Larger bodies are sent in parts of this size, a few at a time.
PART_BYTES = 16 * 2**20
PARTS_AT_ONCE = 4

#: Parts of an upload that nobody completed go after so many days.
UNFINISHED_DAYS = 2

#: Connections kept open to the server; more than this many threads take turns.
CONNECTIONS = 32

#: Answers that no waiting changes: a person has to look at the set-up.
_REFUSALS = {
    "AccessDenied": "this key may not do that in this bucket",
    "InvalidAccessKeyId": "the store does not know this access key",
    "SignatureDoesNotMatch": "the secret key is not the one of this access key",
    "RequestTimeTooSkewed": "the clocks of this machine and the store differ too much",
}

#: Nothing is refused to this key, and nothing can be kept all the same.
_NO_BUCKET = "NoSuchBucket"

#: What looks at a store from all sides, and says what to do.
_REMEDY = "quincunx doctor"

#: Only the first of these says that a key is not there. The second is said of the first byte of nothing.
_NO_KEY, _EMPTY = "NoSuchKey", "InvalidRange"

#: Said of a bucket that somebody else of this farm made a moment earlier.
_MINE = "BucketAlreadyOwnedByYou"

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What a listing says of a key, which is given without the bucket's prefix."""

    key: str
    size_bytes: int
    written_at: float


class Bucket:
    """Keys and bytes. Raises `StoreUnreachable` when patience is over, `StoreRefused` when the store refuses."""

    def __init__(self, client: Minio, address: BucketAddress) -> None:
        self._client = client
        self._name = address.bucket
        self._prefix = address.prefix
        self.where = f"s3://{address.endpoint}/{address.bucket}/{address.prefix}".rstrip("/")

    def put(self, key: str, content: bytes | memoryview) -> None:
        """Store bytes under a key, in the place of others. Afterwards they are there as a whole."""
        name, size = self._prefix + key, len(content)

        def send() -> None:
            body = io.BytesIO(content)
            self._client.put_object(
                self._name, name, body, size, part_size=PART_BYTES, num_parallel_uploads=PARTS_AT_ONCE
            )

        try:
            self._ask(send)
        except _NoSuchUpload as error:
            # An upload in parts was completed, and the answer got lost: the second try finds no upload any more.
            if self.size_of(key) != size:
                raise self._unreachable("an upload was lost") from error

    def get(self, key: str) -> bytes | None:
        """Return the bytes as they came, or None if the server says that there is no such key."""
        name = self._prefix + key
        return self._ask(lambda: self._client.get_object(self._name, name).data or b"", {_NO_KEY: None})

    def has(self, key: str) -> bool:
        """Whether a key is there. Asks for its first byte: an answer without a body cannot say what it misses."""
        name = self._prefix + key
        answers = {_NO_KEY: False, _EMPTY: True}
        return self._ask(lambda: self._client.get_object(self._name, name, 0, 1) is not None, answers)

    def size_of(self, key: str) -> int:
        """How long the bytes under a key are; -1 if there are none."""
        name = self._prefix + key
        return self._ask(lambda: int(self._client.stat_object(self._name, name).size or 0), {_NO_KEY: -1})

    def is_made_of(self, key: str, content: bytes) -> bool:
        """Whether the server itself says that these are the bytes under a key.

        False also where it cannot say so: with some kinds of encryption an ETag is no MD5.
        """
        name = self._prefix + key
        told = self._ask(lambda: str(self._client.stat_object(self._name, name).etag or ""), {_NO_KEY: ""})
        return told.strip('"') == _etag_of(content)

    def page(self, prefix: str, after: str = "", count: int = PAGE) -> list[StoredObject]:
        """Return the first keys with a prefix that sort behind `after`, with one question up to a whole `PAGE`."""

        def ask() -> list[StoredObject]:
            start = self._prefix + after if after else None
            found = self._client.list_objects(self._name, self._prefix + prefix, recursive=True, start_after=start)
            return [self._stored(one) for one in itertools.islice(found, count)]

        return self._ask(ask)

    def objects(self, prefix: str) -> Iterator[StoredObject]:
        """Yield all keys with a prefix, in order."""
        last = ""
        while page := self.page(prefix, last):
            yield from page
            if len(page) < PAGE:
                return
            last = page[-1].key

    def delete(self, keys: Iterable[str]) -> None:
        """Remove keys that may or may not be there."""
        doomed = [DeleteObject(self._prefix + key) for key in keys]
        for start in range(0, len(doomed), PAGE):
            part = doomed[start : start + PAGE]
            wrong = self._ask(lambda part=part: list(self._client.remove_objects(self._name, part)))  # type: ignore[misc]
            if wrong:
                raise StoreError(f"{len(wrong)} objects cannot be removed: {wrong[0].message}", where=self.where)

    def exists(self) -> bool:
        """Whether the bucket is there."""
        return self._ask(lambda: self._client.bucket_exists(self._name))

    def make(self) -> None:
        """Make the bucket, unless it is there."""
        if not self.exists():
            self._ask(lambda: self._client.make_bucket(self._name), {_MINE: None})
            self._drop_unfinished()

    def _drop_unfinished(self) -> None:
        """Have the server drop the parts of uploads whose sender died. Not all servers can; it is only room."""
        rule = Rule(
            "Enabled",
            rule_filter=Filter(prefix=""),
            rule_id="unfinished",
            abort_incomplete_multipart_upload=AbortIncompleteMultipartUpload(UNFINISHED_DAYS),
        )
        with contextlib.suppress(StoreError):
            self._ask(lambda: self._client.set_bucket_lifecycle(self._name, LifecycleConfig([rule])))

    def _stored(self, found: Any) -> StoredObject:
        written = found.last_modified.timestamp() if found.last_modified else 0.0
        return StoredObject(str(found.object_name).removeprefix(self._prefix), int(found.size or 0), written)

    def _ask(self, question: Callable[[], _T], answers: Mapping[str, _T] | None = None) -> _T:
        """Ask, and put what goes wrong into our words. Codes among the answers are no errors but stand for them."""
        try:
            return question()
        except S3Error as error:
            code = str(error.code)
            if answers and code in answers:
                return answers[code]
            if code == "NoSuchUpload":
                raise _NoSuchUpload from error
            if code in _REFUSALS:
                told = f"the store refuses: {_REFUSALS[code]}"
                raise StoreRefused(told, where=self.where, remedy=_REMEDY) from error
            if code == _NO_BUCKET:
                raise StoreError("there is no such bucket", where=self.where, remedy=_REMEDY) from error
            raise self._unreachable(f"the store fails: {code}: {error.message}") from error
        except InvalidResponseError as error:
            raise self._unreachable("the store gives answers that are none of S3's") from error
        except (HTTPError, OSError, MinioException, ParseError, ValueError) as error:
            told = str(error.__cause__ or error) or type(error).__name__
            raise self._unreachable(f"the store does not answer: {told}") from error

    def _unreachable(self, what: str) -> StoreUnreachable:
        return StoreUnreachable(what, where=self.where, remedy=_REMEDY)


def _etag_of(content: bytes) -> str:
    """What S3 calls bytes that `put` has sent: in parts, the MD5 of the MD5s of the parts, and how many they are."""
    if len(content) <= PART_BYTES:
        return hashlib.md5(content, usedforsecurity=False).hexdigest()
    whole = memoryview(content)
    parts = [whole[start : start + PART_BYTES] for start in range(0, len(content), PART_BYTES)]
    digests = b"".join(hashlib.md5(part, usedforsecurity=False).digest() for part in parts)
    return f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(parts)}"


class _NoSuchUpload(Exception):
    """Parts of an upload are not known."""


def open_bucket(
    address: BucketAddress,
    access_key: str,
    secret_key: str,
    *,
    region: str = "us-east-1",
    patience: Patience | None = None,
    ca_file: Path | None = None,
) -> Bucket:
    """Return the bucket; nothing is asked of the server yet."""
    pool = PatientPool(
        patience or Patience(),
        maxsize=CONNECTIONS,
        num_pools=2,
        cert_reqs="CERT_REQUIRED",
        ca_certs=str(ca_file) if ca_file else certifi.where(),
    )
    client = Minio(address.endpoint, access_key, secret_key, secure=address.secure, region=region, http_client=pool)
    return Bucket(client, address)
