"""A payload on its way between steps: known by its reference, fetched only when somebody looks at it."""

from __future__ import annotations

import threading
from collections.abc import Iterable

import numpy as np

from quincunx_shared.errors import BlobsLost
from quincunx_shared.payload import ParamRef, Payload, decode, encode
from quincunx_shared.ports import BlobStore


class Held:
    """A reference with its payload, which is fetched once and then shared by all who read it."""

    __slots__ = ("_blobs", "_fetched", "_lock", "_payload", "ref")

    def __init__(self, ref: ParamRef, blobs: BlobStore) -> None:
        self.ref = ref
        self._blobs = blobs
        self._lock = threading.Lock()
        self._fetched = False
        self._payload: Payload = None

    @classmethod
    def keep(cls, payload: Payload, blobs: BlobStore) -> Held:
        """Encode a new payload, put its bytes into the store if they are many, and hold on to the value.

        What is held is what a later recall would give: arrays read-only, JSON as it comes back from its text.
        """
        encoded = encode(payload)
        ref = encoded.ref
        if ref.inline is None:
            blobs.put(ref.digest, encoded.content)
        held = cls(ref, blobs)
        if ref.kind == "array":
            array = np.asarray(payload, dtype=np.dtype(ref.dtype))
            array.flags.writeable = False
            held._payload = array
        else:
            held._payload = decode(ref, encoded.content)
        held._fetched = True
        return held

    def payload(self) -> Payload:
        """Return the value. Raises `BlobsLost`."""
        with self._lock:
            if not self._fetched:
                content = self._blobs.get(self.ref.digest) if self.ref.inline is None else self.ref.inline
                self._payload = decode(self.ref, content)
                self._fetched = True
            return self._payload


def fetch_all(values: Iterable[Held]) -> None:
    """Fetch every value, so that all lost blobs are named at once and healed in one go (`BlobsLost`)."""
    lost = []
    for value in values:
        try:
            value.payload()
        except BlobsLost as error:
            lost.extend(error.digests)
    if lost:
        raise BlobsLost(lost)
