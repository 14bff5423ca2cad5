"""How many jobs a coordinator sees through at once, and of which class. Pure.

A job that waits for workers holds its place. So that a night's backlog, or work for a machine that is not there, holds
up nobody of a higher class, each class leaves some places to those above it.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from quincunx_orchestrator.farm.job import PRIORITIES, Priority

#: A job under way costs a thread and its plan, which is large for a long song only.
PLACES = 24

#: So much of all places may be taken by a class together with those below it.
_SHARES: dict[Priority, Fraction] = {"system": Fraction(1), "user": Fraction(5, 6), "background": Fraction(1, 2)}


def classes_with_room(under_way: Sequence[Priority], places: int) -> tuple[Priority, ...]:
    """The classes of which another job may begin beside those that are under way, the highest first."""
    ranks = [PRIORITIES.index(one) for one in under_way]
    found: list[Priority] = []
    for rank, one in enumerate(PRIORITIES):
        if sum(other >= rank for other in ranks) >= max(1, int(places * _SHARES[one])):
            # Those below would take from the same share.
            break
        found.append(one)
    return tuple(found)
