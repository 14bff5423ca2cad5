"""The names of what Redis keeps for one render. The render stands in a hash tag: one script may touch all of them."""

from __future__ import annotations

from quincunx_shared.farm.wire import dump, ref_to_wire
from quincunx_shared.names import Address, RenderId
from quincunx_shared.payload import ParamRef

#: The blackboard: a hash of `board_field` → `board_value`.
BOARD = "board"

#: The events: a stream whose entry `0-k+1` is event k, as JSON in the field `EVENT_FIELD`.
EVENTS = "events"
EVENT_FIELD = "event"


def render_key(namespace: str, render: RenderId, part: str) -> str:
    """Name one part of what is kept for a render."""
    return f"{namespace}:{{{render}}}:{part}"


def board_field(address: Address) -> bytes:
    """The field of the blackboard that holds this address."""
    return dump([address.segment, address.key.node, address.key.port])


def board_value(ref: ParamRef) -> bytes:
    """A reference as it stands on the blackboard; `wire.ref_from_wire` reads it."""
    return dump(ref_to_wire(ref))
