"""What those who look after a cache need of it, be it in a folder or on a farm."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from quincunx_shared.names import Digest
from quincunx_shared.ports import Outputs

if TYPE_CHECKING:
    from quincunx_shared.stores.folder import BlobFile
    from quincunx_shared.stores.owners import Owned


class Shelf(Protocol):
    """The blobs of a cache, one by one."""

    def files(self) -> Iterable[BlobFile]:
        """Every blob, whether its content is right or not."""

    def foreign_files(self) -> Iterable[str]:
        """What lies among the blobs and is none."""

    def holding(self, digests: Iterable[Digest]) -> Iterable[tuple[Digest, bool]]:
        """Whether each blob is there and right, read in full; wrong ones stay."""

    def drop(self, digests: Iterable[Digest]) -> None:
        """Remove blobs."""

    def drop_foreign(self, paths: Iterable[str]) -> None:
        """Remove what is none of ours."""


class Records(Protocol):
    """The records of a cache, by signatures as bytes; None is a record that was spoilt."""

    def records(self) -> Iterable[tuple[bytes, Outputs | None]]:
        """Every record."""

    def drop(self, keys: Iterable[bytes]) -> None:
        """Remove records."""


class Owners(Protocol):
    """Whose the results are, as far as somebody knows."""

    def owned(self) -> tuple[Owned, ...]:
        """What the songs use as they were rendered last."""

    def pins(self) -> frozenset[str]:
        """The songs and voices that stay."""

    def disown(self, songs: Iterable[str]) -> None:
        """Forget what songs used."""

    def note_gone(self, signatures: Iterable[bytes], why: str, now: float) -> None:
        """Remember why results left."""

    def measured(self, size_bytes: int, now: float) -> None:
        """Hear how large the cache is."""
