"""Which results leave a cache that has grown too large. Pure: ages and sizes in, names out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from quincunx_shared.names import Digest

#: Room is made down to this share of the limit, so that not every render has to make some.
EMPTIED_TO = 0.9

#: Within this time results count as equally old, and the large ones go first: the mix and the finished file take most
#: of the room of an edit, and least of the time to make again.
HOUR_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Aged:
    """A blob: how much room it takes, when it was last of use, and whether it must stay."""

    digest: Digest
    size_bytes: int
    last_used: float
    must_stay: bool = False


def evictions(blobs: Iterable[Aged], limit_bytes: float) -> tuple[Digest, ...]:
    """Return the blobs to remove so that the others fit: least recently used first. What must stay stays."""
    everything = list(blobs)
    total = sum(one.size_bytes for one in everything)
    if total <= limit_bytes:
        return ()
    leaving: list[Digest] = []
    for one in sorted(everything, key=_order):
        if total <= limit_bytes * EMPTIED_TO:
            break
        if not one.must_stay:
            leaving.append(one.digest)
            total -= one.size_bytes
    return tuple(leaving)


def _order(one: Aged) -> tuple[float, int, Digest]:
    return one.last_used // HOUR_SECONDS, -one.size_bytes, one.digest
