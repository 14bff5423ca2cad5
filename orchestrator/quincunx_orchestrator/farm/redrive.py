"""When a bundle is sent again. Pure: whoever looks brings what was seen.

A message that was sent and not followed is worth a copy, and a copy costs next to nothing; but one that only waits
its turn is left alone, and a bundle that nobody here can run is not passed round without a pause.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

#: How often to look after bundles of which nothing is heard.
TICK_SECONDS = 1.0

#: A message that nobody has taken from an empty queue in this time is lost.
LOST_SECONDS = 3.0

#: Even behind other work, a message is sent again after this time.
OVERDUE_SECONDS = 120.0

#: One that came back is sent again after a second, the next time after two, and so on up to this.
MOST_PATIENCE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Sent:
    """When a bundle was sent last, and how often it had come back by then."""

    at: float
    returned: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """What is seen of a bundle that has not ended and that nobody has."""

    #: Whether somebody had it at the last look: its worker died, or was told to end.
    was_claimed: bool
    #: How often it came back so far.
    returned: int


def is_lost(sent: Sent, seen: Seen, now: float, is_waiting: Callable[[], bool]) -> bool:
    """Whether to send it again; `is_waiting` is asked whether its message may still lie in a queue."""
    waited = now - sent.at
    if seen.was_claimed or waited > OVERDUE_SECONDS:
        return True
    if seen.returned > sent.returned:
        return waited >= min(seen.returned * TICK_SECONDS, MOST_PATIENCE_SECONDS)
    return waited > LOST_SECONDS and not is_waiting()
