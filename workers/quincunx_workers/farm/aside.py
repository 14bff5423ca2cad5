"""A worker that can run nothing of what it is sent stands aside, so that those who can come first.

It would empty the queue in the moments in which they compute, and hand all of it back, again and again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

#: How long after the first such message, twice as long after the next, and how long at most.
FIRST_SECONDS, MOST_SECONDS = 0.1, 5.0

#: Whoever is told to end meanwhile is asked so often.
_LOOK_SECONDS = 0.1


@dataclass
class Aside:
    """Stands aside after messages of which nothing fits; the first that fits, even in part, ends that."""

    is_over: Callable[[], bool]
    sleep: Callable[[float], None] = time.sleep
    misfits: int = 0

    def stand(self, *, fits: bool) -> None:
        """Hear whether anything of a message fitted, and wait if not."""
        self.misfits = 0 if fits else self.misfits + 1
        left = min(FIRST_SECONDS * 2.0 ** min(self.misfits - 1, 10), MOST_SECONDS) if self.misfits else 0.0
        while left > 0 and not self.is_over():
            self.sleep(min(left, _LOOK_SECONDS))
            left -= _LOOK_SECONDS
