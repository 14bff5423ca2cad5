"""What several scenarios stand on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.scenario.front_door import FrontDoor, open_front_door


@pytest.fixture(scope="session")
def front_door() -> Iterator[FrontDoor]:
    """The command line, ready to be run often."""
    with open_front_door() as door:
        yield door
