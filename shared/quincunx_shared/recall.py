"""Recall: what the index knows, as far as the blobs are really there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from quincunx_shared.names import Digest, Signature
from quincunx_shared.ports import BlobStore, Outputs, SignatureIndex


@dataclass(frozen=True, slots=True)
class Recall:
    """The index and the blobs behind it, seen as one cache.

    A record whose blobs are gone is forgotten on the way: left in place it would win over every result computed
    after it (the first writer wins), and the step would run again in every render.
    """

    index: SignatureIndex
    blobs: BlobStore

    def find(self, signatures: Iterable[Signature], *, anew: bool = False) -> Mapping[Signature, Outputs]:
        """Return the records that can be kept, by signature.

        With `anew`, it does not count that this process has seen their blobs a while ago: the store is asked.
        """
        records = self.index.find(signatures)
        stored = {ref.digest for outputs in records.values() for ref in outputs if ref.inline is None}
        if anew:
            self.blobs.doubt(stored)
        missing = self.blobs.missing(stored) if stored else set()
        if not missing:
            return records
        broken = {name for name, outputs in records.items() if any(ref.digest in missing for ref in outputs)}
        self.index.forget(broken)
        return {name: outputs for name, outputs in records.items() if name not in broken}

    def doubt(self, digests: Iterable[Digest]) -> None:
        """Hear that blobs could not be read; records that promise them are forgotten when they are next found."""
        self.blobs.doubt(digests)

    def flush(self) -> None:
        """Let every process find what was added: first the blobs, then the records that promise them."""
        self.index.flush(self.blobs.flush)
