"""The form of orders, and what people call what they hold, which is read without the rest: it takes no arrays."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from quincunx_orchestrator.core.collection import collector_paused
from quincunx_orchestrator.core.segment_names import SegmentNames
from quincunx_shared.farm.wire import BadMessage
from quincunx_shared.names import SegmentId

#: Changes when the form of orders does. A coordinator that does not know a form leaves the order to one that does.
FORM = 4


class UnknownForm(BadMessage):
    """An order of a newer version: another coordinator may know it."""


def names_from_bytes(content: bytes) -> SegmentNames:
    """Read of an order only what people call its segments, or raise `BadMessage`."""
    with refusing():
        return names_from(*opened(content)[2])


@contextmanager
def refusing() -> Iterator[None]:
    """Say of whatever cannot be read that it is no order."""
    try:
        with collector_paused():
            yield
    except (ValueError, TypeError, KeyError, IndexError, zlib.error) as error:
        raise BadMessage(f"an order cannot be read: {type(error).__name__}: {error}") from error


def opened(content: bytes) -> list[Any]:
    """All of an order but its form, as `order_to_bytes` lays it out."""
    form, *told = list(json.loads(zlib.decompress(content)))
    if not isinstance(form, int) or form < FORM:
        raise BadMessage(f"an order of form {form} is of an older version", remedy="submit the song again")
    if form > FORM:
        raise UnknownForm(f"an order of form {form} is not known here", remedy="upgrade this coordinator")
    return told


def names_from(
    labels: Mapping[str, str], places: Mapping[str, Iterable[str]], files: Mapping[str, str]
) -> SegmentNames:
    """Read the names of an order."""
    return SegmentNames(
        {SegmentId(name): label for name, label in labels.items()},
        {SegmentId(name): tuple(told) for name, told in places.items()},
        files,
    )
