"""Blobs and documents in a bucket: `blobs/ab/cdef…` and `documents/<name>`.

Every read is verified against the digest. Bytes that are wrong are wrong in the store only if the store itself says
that it has these: else the way or the memory of this machine may have spoilt them, and they are asked for again.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from quincunx_shared.canonical import digest_of_bytes
from quincunx_shared.errors import BlobCorrupt, BlobMissing, StoreUnreachable
from quincunx_shared.names import Digest
from quincunx_shared.stores.bucket import PAGE, Bucket
from quincunx_shared.stores.documents import check_name, seal, spoilt, unseal
from quincunx_shared.stores.folder import BlobFile, names_a_blob
from quincunx_shared.stores.presence import Presence

BLOBS, DOCUMENTS = "blobs/", "documents/"

#: How often bytes are fetched that turn out to be wrong.
READS = 6

#: Larger blobs are not sent if they are there: asking costs as much as sending some kilobytes.
WORTH_ASKING_BYTES = 256 * 1024

#: So many questions are under way at once.
QUESTIONS_AT_ONCE = 12

#: Up to so many blobs are asked for one by one; beyond, a listing says of a thousand at once.
FEW = 64

#: So many are looked for in one walk through a listing; fewer would have walks read the same pages.
LISTED_TOGETHER = 500

#: A page of a listing costs as much as so many single questions.
PAGE_WORTH = 16


class S3BlobStore:
    """Content-addressed objects. Safe for several threads; every process opens its own."""

    def __init__(self, bucket: Bucket, presence: Presence | None = None) -> None:
        self._bucket = bucket
        self._present = presence or Presence()
        self._pool = ThreadPoolExecutor(QUESTIONS_AT_ONCE, thread_name_prefix="quincunx-s3")

    def put(self, digest: Digest, content: bytes | memoryview) -> None:
        """Store bytes under their digest.

        Sent even if they were seen there before: somebody may have removed them since, and whoever puts a blob is
        about to promise it.
        """
        octets = memoryview(content).cast("B")
        key = key_of(digest)
        if len(octets) < WORTH_ASKING_BYTES or self._bucket.size_of(key) != len(octets):
            self._bucket.put(key, octets)
        self._present.note((digest,))

    def get(self, digest: Digest) -> bytes:
        """Return the bytes. A blob that is wrong in the store is removed and reported as `BlobCorrupt`.

        Bytes that only arrive wrong, however often, are `StoreUnreachable`: other machines may get them as they are,
        and one that spoils what it reads must not remove the blobs of all.
        """
        key = key_of(digest)
        for _ in range(READS):
            content = self._bucket.get(key)
            if content is None:
                self._present.forget(digest)
                raise BlobMissing(digest)
            if digest_of_bytes(content) == digest:
                self._present.note((digest,))
                return content
            if self._bucket.is_made_of(key, content):
                self._present.forget(digest)
                self._bucket.delete((key,))
                raise BlobCorrupt(digest)
        remedy = "check this machine and what lies before the store; if all say so: `quincunx cache verify --repair`"
        raise StoreUnreachable(f"blob {digest} arrives spoilt every time", where=self._bucket.where, remedy=remedy)

    def missing(self, digests: Iterable[Digest]) -> set[Digest]:
        """Return the digests that are not there. What was seen there some minutes ago is believed to be."""
        unknown = sorted(self._present.unknown(digests))
        listed: set[Digest] = set()
        if len(unknown) > FEW:
            share = max(LISTED_TOGETHER, -(-len(unknown) // QUESTIONS_AT_ONCE))
            parts = [unknown[start : start + share] for start in range(0, len(unknown), share)]
            unasked: list[Digest] = []
            for absent, rest in self._pool.map(self._walk, parts):
                listed |= absent
                unasked += rest
            # Some servers list late what was just written. Where nearly nothing is missing, that is worth a question.
            unknown = unasked
            if len(listed) <= FEW:
                unknown, listed = [*unasked, *listed], set()
        there = self._pool.map(lambda one: self._bucket.has(key_of(one)), unknown)
        absent = {one for one, is_there in zip(unknown, there, strict=True) if not is_there}
        self._present.note(one for one in unknown if one not in absent)
        return absent | listed

    def doubt(self, digests: Iterable[Digest]) -> None:
        """Forget that these were seen there."""
        for digest in digests:
            self._present.forget(digest)

    def flush(self) -> None:
        """Nothing waits here."""

    def files(self) -> Iterator[BlobFile]:
        """Yield every blob, whether its content is right or not."""
        for one in self._bucket.objects(BLOBS):
            if _is_blob(one.key):
                yield BlobFile(digest_in(one.key), one.size_bytes, one.written_at)

    def foreign_files(self) -> Iterator[str]:
        """Yield what lies among the blobs and is none."""
        return (one.key.removeprefix(BLOBS) for one in self._bucket.objects(BLOBS) if not _is_blob(one.key))

    def holding(self, digests: Iterable[Digest]) -> Iterator[tuple[Digest, bool]]:
        """Whether each of many is there and right, read in full; wrong ones stay."""
        asked = list(digests)
        # In parts, because all that is under way lies in memory.
        for start in range(0, len(asked), 4 * QUESTIONS_AT_ONCE):
            part = asked[start : start + 4 * QUESTIONS_AT_ONCE]
            yield from zip(part, self._pool.map(self._holds, part), strict=True)

    def drop(self, digests: Iterable[Digest]) -> None:
        """Remove blobs."""
        doomed = list(digests)
        for digest in doomed:
            self._present.forget(digest)
        self._bucket.delete(map(key_of, doomed))

    def drop_foreign(self, paths: Iterable[str]) -> None:
        """Remove objects that are none of ours."""
        self._bucket.delete(BLOBS + path for path in paths)

    def _holds(self, digest: Digest) -> bool:
        for _ in range(READS):
            content = self._bucket.get(key_of(digest))
            if content is None or digest_of_bytes(content) == digest:
                return content is not None
        return False

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(cancel_futures=True)

    def _walk(self, wanted: Sequence[Digest]) -> tuple[set[Digest], Sequence[Digest]]:
        """List the store where the wanted are; return those it does not list, and those not worth listing for.

        Digests are spread evenly, so a page that settles few of them is followed by others that do.
        """
        absent: set[Digest] = set()
        at = 0
        while len(wanted) - at >= PAGE_WORTH:
            page = self._bucket.page(BLOBS, after=key_of(wanted[at])[:-1])
            here = {digest_in(one.key) for one in page}
            is_last = len(page) < PAGE
            behind = len(wanted) if is_last else bisect_right(wanted, digest_in(page[-1].key))
            absent.update(one for one in wanted[at:behind] if one not in here)
            self._present.note(one for one in wanted[at:behind] if one in here)
            settled, at = behind - at, behind
            if settled < PAGE_WORTH:
                break
        return absent, wanted[at:]


class S3Documents:
    """Documents as objects."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def put(self, name: str, content: bytes) -> None:
        """Store a document."""
        self._bucket.put(DOCUMENTS + check_name(name), seal(name, content))

    def get(self, name: str) -> bytes | None:
        """Return a document."""
        for _ in range(READS):
            stored = self._bucket.get(DOCUMENTS + check_name(name))
            if stored is None:
                return None
            content = unseal(name, stored)
            if content is not None:
                return content
        raise spoilt(name, self._bucket.where)

    def names(self, prefix: str = "") -> list[str]:
        """Return the names that begin like this, sorted."""
        return sorted(one.key.removeprefix(DOCUMENTS) for one in self._bucket.objects(DOCUMENTS + prefix))

    def delete(self, name: str) -> None:
        """Remove a document."""
        self._bucket.delete((DOCUMENTS + check_name(name),))


def key_of(digest: Digest) -> str:
    """Where a blob lies in its bucket. In 256 folders, for servers that keep objects as files."""
    return f"{BLOBS}{digest[:2]}/{digest[2:]}"


def _is_blob(key: str) -> bool:
    folder, mark, name = key.removeprefix(BLOBS).partition("/")
    return bool(mark) and len(folder) == len("ab") and names_a_blob(folder + name)


def digest_in(key: str) -> Digest:
    """What lies under a key, if it is a blob."""
    return Digest(key.removeprefix(BLOBS).replace("/", "", 1))
