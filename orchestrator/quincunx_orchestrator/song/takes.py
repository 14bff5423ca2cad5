"""Takes of a song: the same music with other seeds, and the one a person decided to keep."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from quincunx_shared.canonical import canonical_bytes
from quincunx_shared.errors import BadInput

#: Changes when the form of the record does; an older record is then as good as none.
FORM = 1


@dataclass(frozen=True)
class Takes:
    """The takes of a song: take n has the seed `first_seed + n - 1`. `kept` is the number of the one that stays."""

    first_seed: int = 0
    count: int = 0
    kept: int | None = None

    @property
    def seed(self) -> int:
        """The seed of a plain render: that of the kept take, else none in particular, which is 0."""
        return 0 if self.kept is None else self.seed_of(self.kept)

    def seed_of(self, number: int) -> int:
        """Return the seed of a take."""
        return self.first_seed + number - 1

    def rendered(self, first_seed: int, count: int) -> Takes:
        """Return the record after takes were rendered. Takes of other seeds are other takes: none of them is kept."""
        if first_seed == self.first_seed:
            return replace(self, count=max(count, self.count))
        return Takes(first_seed, count)

    def keep(self, number: int, *, where: str) -> Takes:
        """Return the record with a take kept. Raises `BadInput` for one that was never rendered."""
        if not self.count:
            raise BadInput("no takes of this song are known", where=where, remedy=f"quincunx render {where} --takes 5")
        if not 1 <= number <= self.count:
            raise BadInput(f"there is no take {number}, only 1 to {self.count}", where=where)
        return replace(self, kept=number)

    def to_record(self) -> bytes:
        """Return what the cache remembers."""
        return canonical_bytes([FORM, self.first_seed, self.count, self.kept])


def read_takes(record: bytes | None) -> Takes:
    """Read what the cache remembers; no takes if there is nothing, or nothing that can be read."""
    if record is None:
        return Takes()
    try:
        form, first_seed, count, kept = json.loads(record)
    except (ValueError, TypeError):
        return Takes()
    numbers = isinstance(first_seed, int) and isinstance(count, int) and isinstance(kept, int | None)
    return Takes(first_seed, count, kept) if form == FORM and numbers else Takes()
