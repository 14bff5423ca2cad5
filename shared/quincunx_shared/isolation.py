"""Whom one does not trust: the packages whose steps run in processes of their own, and within which limits."""

from __future__ import annotations

from dataclasses import dataclass

#: Every package but this one.
ALL = "all"


@dataclass(frozen=True)
class Isolation:
    """Which packages' steps run apart, and what one call of such a step may take."""

    packages: frozenset[str] = frozenset()
    seconds: float = 300.0
    memory_bytes: int = 4_000_000_000

    def covers(self, package: str) -> bool:
        """Whether steps of this package run apart."""
        return ALL in self.packages or package in self.packages


TRUSTING = Isolation()
