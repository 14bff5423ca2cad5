"""Which blobs were seen in a store a moment ago, so that nobody asks again.

What is remembered here may have left the store since. Whoever then fails to read it forgets it, and says so.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

from quincunx_shared.names import Digest

#: A blob is remembered for one to two of these.
REMEMBERED_SECONDS = 300.0

#: And so many are, at most twice: some 20 MB.
REMEMBERED = 100_000


class Presence:
    """Digests in two generations; the older one is dropped as a whole. Safe for several threads."""

    def __init__(
        self, seconds: float = REMEMBERED_SECONDS, most: int = REMEMBERED, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds = seconds
        self._most = most
        self._now = now
        self._guard = threading.Lock()
        self._young: set[Digest] = set()
        self._old: set[Digest] = set()
        self._began = now()

    def note(self, digests: Iterable[Digest]) -> None:
        """Remember that these are there."""
        with self._guard:
            self._grow_older()
            self._young.update(digests)

    def forget(self, digest: Digest) -> None:
        """Forget one that is not there after all."""
        with self._guard:
            self._young.discard(digest)
            self._old.discard(digest)

    def unknown(self, digests: Iterable[Digest]) -> set[Digest]:
        """Return those that are not remembered."""
        with self._guard:
            self._grow_older()
            return {one for one in digests if one not in self._young and one not in self._old}

    def _grow_older(self) -> None:
        age = self._now() - self._began
        if age > self._seconds or len(self._young) > self._most:
            # Nobody asked for so long that even the young are old.
            self._old = set() if age > 2 * self._seconds else self._young
            self._young = set()
            self._began = self._now()
