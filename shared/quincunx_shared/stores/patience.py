"""How often, how long and with which pauses a server is asked again. Pure; `PatientPool` carries it out."""

from __future__ import annotations

from dataclasses import dataclass

#: The first pause lasts up to so long, and each further one up to twice as long as the one before.
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.05, 1.0

#: A try with less time than this left could only fail.
SHORTEST_TRY_SECONDS = 0.2

#: A connection is made in one round trip, or there is nobody.
CONNECT_SECONDS = 1.5

#: A body may take longer than our patience as long as it comes at this pace: a slow line is not a dead one.
SLOWEST_BYTES_PER_SECOND = 50_000

#: What a server may answer and mean "not now".
NOT_NOW = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Patience:
    """No try begins when so many `seconds` have passed or so many tries again were made."""

    seconds: float = 10.0
    retries: int = 8

    def pause(self, failures: int, chance: float) -> float:
        """How long to wait after so many failures; `chance` in [0, 1) keeps many clients from coming back at once."""
        return chance * min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(failures - 1, 10))

    def is_over(self, failures: int, spent_seconds: float) -> bool:
        """Whether to give up."""
        return failures > self.retries or spent_seconds + SHORTEST_TRY_SECONDS > self.seconds

    def silence(self, spent_seconds: float) -> float:
        """How long one try may hear nothing: a third of everything, so that a lost answer costs one try of three."""
        return max(SHORTEST_TRY_SECONDS, min(self.seconds / 3, self.seconds - spent_seconds))

    def transfer(self, size_bytes: int) -> float:
        """How long a transfer may take that has come so far."""
        return self.seconds + size_bytes / SLOWEST_BYTES_PER_SECOND
