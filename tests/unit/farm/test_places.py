"""Places of a coordinator: a backlog of a low class leaves some to the classes above it."""

from __future__ import annotations

import pytest

from quincunx_orchestrator.farm.job import PRIORITIES, Priority
from quincunx_orchestrator.farm.places import PLACES, classes_with_room


@pytest.mark.parametrize(
    ("under_way", "room"),
    [
        ([], ("system", "user", "background")),
        (["background"] * 12, ("system", "user")),
        (["background"] * 12 + ["user"] * 8, ("system",)),
        (["user"] * 20, ("system",)),
        (["system"] * 20, ("system", "user", "background")),
        (["background"] * 12 + ["user"] * 8 + ["system"] * 4, ()),
        (["system"] * 24, ()),
    ],
)
def test_room(under_way: list[Priority], room: tuple[Priority, ...]) -> None:
    assert classes_with_room(under_way, 24) == room


def test_whoever_has_few_places_serves_every_class() -> None:
    for places in (1, 2, PLACES):
        assert classes_with_room([], places) == PRIORITIES
