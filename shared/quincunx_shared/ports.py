"""The ports through which Quincunx touches the world. Each has an in-memory form in `stores.memory`.

One contract suite per port runs on the in-memory form and on every real one; see `tests/contract`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from quincunx_shared.events import Event
from quincunx_shared.names import Address, Digest, Signature
from quincunx_shared.payload import ParamRef

#: What the cache knows of one computation: its outputs, by position.
Outputs = tuple[ParamRef, ...]


class BlobStore(Protocol):
    """Content-addressed bytes. A blob is whole or absent, and what `get` returns has the digest asked for."""

    def put(self, digest: Digest, content: bytes | memoryview) -> None:
        """Store bytes under their digest. Storing what is there already changes nothing."""

    def get(self, digest: Digest) -> bytes | memoryview:
        """Return the bytes. `BlobMissing` if absent; `BlobCorrupt`, after dropping the blob, if they are wrong."""

    def missing(self, digests: Iterable[Digest]) -> set[Digest]:
        """Return those of the digests that are not here. Looks at names and sizes, not at content.

        May say of a blob that it is here because it was a few minutes ago, until somebody doubts it.
        """

    def doubt(self, digests: Iterable[Digest]) -> None:
        """Hear that somebody, perhaps elsewhere, could not read these: the next question about them is asked anew."""

    def flush(self) -> None:
        """Let every process find what was put. Called at the end of a stage."""


class Documents(Protocol):
    """Named bytes that may change, beside the blobs: whole or absent, and as they were written.

    Names are path-like: parts of letters, digits, `.`, `_` and `-`, joined by `/` (`documents.check_name`).
    """

    def put(self, name: str, content: bytes) -> None:
        """Store a document in the place of the one that had its name. It survives a power cut afterwards."""

    def get(self, name: str) -> bytes | None:
        """Return a document, or None if there is none. `StoreError` if its bytes are not those that were put."""

    def names(self, prefix: str = "") -> list[str]:
        """Return the names that begin like this, sorted."""

    def delete(self, name: str) -> None:
        """Remove a document, if it is there."""


class SignatureIndex(Protocol):
    """Signature → outputs, for years and for all machines. The first writer of a signature wins."""

    def find(self, signatures: Iterable[Signature]) -> Mapping[Signature, Outputs]:
        """Return what is known of the signatures, in as few round trips as the store allows."""

    def add(self, records: Mapping[Signature, Outputs]) -> None:
        """Add records; those that exist already stay as they are. This process finds them at once."""

    def flush(self, first: Callable[[], None] = lambda: None) -> None:
        """Let every process find what was added up to now. Called at the end of a stage.

        `first` brings what these records promise, and is called before any of them is written. What other threads add
        meanwhile may promise more than it brought, and waits for the next flush.
        """

    def forget(self, signatures: Iterable[Signature]) -> None:
        """Drop records whose blobs turned out to be missing or wrong."""


class Blackboard(Protocol):
    """(segment, port) → reference, for one render; gone afterwards. A courier, not a cache."""

    def put(self, values: Mapping[Address, ParamRef]) -> None:
        """Pin references."""

    def take(self, addresses: Sequence[Address]) -> Mapping[Address, ParamRef]:
        """Return the references of all the addresses, or raise `MissingInputs` naming the absent ones."""

    def close(self) -> None:
        """Destroy the board."""


class EventLog(Protocol):
    """What happened in a render, in order, without gaps: event k has sequence number k, from 0."""

    def append(self, event: Event) -> int:
        """Add an event and return its sequence number."""

    def since(self, sequence: int) -> Sequence[Event]:
        """Return the events from that sequence number on."""


class Clock(Protocol):
    """Time, for telemetry and leases. Deciders never see it."""

    def now(self) -> float:
        """Seconds since some fixed moment; never runs backwards."""
