"""A payload on its way between steps: known by its reference, fetched only when somebody looks at it."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from quincunx_shared.errors import BlobsLost
from quincunx_shared.payload import ParamRef, Payload, decode, encode
from quincunx_shared.ports import BlobStore


class Held:
    """A reference with its bytes, which are fetched once and then shared by all who read it.

    Each reader gets a payload of its own: arrays as read-only views of the bytes, JSON read anew. So no step can
    spoil another's input, and a fresh result is the same to its readers as a recalled one, down to its memory
    layout (a sum over another layout differs in its last bits).
    """

    __slots__ = ("_blobs", "_content", "_lock", "ref")

    def __init__(self, ref: ParamRef, blobs: BlobStore) -> None:
        self.ref = ref
        self._blobs = blobs
        self._lock = threading.Lock()
        self._content: bytes | memoryview | None = ref.inline

    @classmethod
    def of(cls, payload: Payload, blobs: BlobStore) -> Held:
        """Hold a payload that only its reader needs; it is not stored."""
        encoded = encode(payload)
        held = cls(encoded.ref, blobs)
        held._content = encoded.content
        return held

    @classmethod
    def keep(cls, payload: Payload, blobs: BlobStore) -> Held:
        """Hold a payload, and put its bytes into the store if they are many."""
        encoded = encode(payload)
        if encoded.ref.inline is None:
            blobs.put(encoded.ref.digest, encoded.content)
        held = cls(encoded.ref, blobs)
        held._content = encoded.content
        return held

    def fetch(self) -> bytes | memoryview:
        """Return the bytes. Raises `BlobsLost`."""
        with self._lock:
            if self._content is None:
                self._content = self._blobs.get(self.ref.digest)
            return self._content

    def payload(self) -> Payload:
        """Return the value, the reader's own. Raises `BlobsLost`."""
        return decode(self.ref, self.fetch())


def fetch_all(values: Iterable[Held]) -> None:
    """Fetch every value, so that all lost blobs are named at once and healed in one go (`BlobsLost`)."""
    lost: list[str] = []
    for value in values:
        try:
            value.fetch()
        except BlobsLost as error:
            lost.extend(error.digests)
    if lost:
        raise BlobsLost(lost)
