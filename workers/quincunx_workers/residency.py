"""Which models must go before another one comes. Pure: no clock, no lock, no model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from quincunx_shared.names import Digest


@dataclass(frozen=True, slots=True)
class Resident:
    """A model in memory, or on its way there. `last_use` counts uses: the larger, the more recent."""

    digest: Digest
    size_bytes: int
    last_use: int
    loading: bool = False


def evictions(residents: Iterable[Resident], incoming_bytes: int, budget_bytes: int) -> tuple[Digest, ...]:
    """Return the models to drop, least recently used first, so that the incoming one fits the budget.

    No more than needed go, and none that is still loading. A model larger than the whole budget drops all others
    and is loaded all the same: a render that is too slow beats a phrase that is never sung.
    """
    present = sorted(residents, key=lambda resident: (resident.last_use, resident.digest))
    excess = sum(resident.size_bytes for resident in present) + incoming_bytes - budget_bytes
    gone: list[Digest] = []
    for resident in present:
        if excess <= 0:
            break
        if not resident.loading:
            gone.append(resident.digest)
            excess -= resident.size_bytes
    return tuple(gone)
