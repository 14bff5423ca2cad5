"""The names of what Redis keeps for one render. The render stands in a hash tag: one script may touch all of them."""

from __future__ import annotations

from quincunx_shared.farm.wire import dump
from quincunx_shared.names import Address, RenderId
from quincunx_shared.payload import ParamRef
from quincunx_shared.stores.record import pack, unpack

#: The blackboard: a hash of `board_field` → `board_value`.
BOARD = "board"

#: The events: a stream whose entry `0-k+1` is event k, as JSON in the field `EVENT_FIELD`, with the milliseconds since
#: 1970 by the clock of Redis when it was told, and with the worker that told it, if one did.
EVENTS = "events"
EVENT_FIELD, AT_FIELD, WORKER_FIELD = "event", "at", "worker"

#: What is published to coordinators, each with the name of a render behind it: a job was accepted; nothing of what was
#: released for it is open any more.
NEW = "new"
ENDED = "ended"


def news_channel(namespace: str) -> str:
    """The channel on which coordinators hear news. The scripts name it, too."""
    return f"{namespace}:news"


def render_key(namespace: str, render: RenderId, part: str) -> str:
    """Name one part of what is kept for a render."""
    return f"{namespace}:{{{render}}}:{part}"


def board_field(address: Address) -> bytes:
    """The field of the blackboard that holds this address."""
    return dump([address.segment, address.key.node, address.key.port])


def board_value(ref: ParamRef) -> bytes:
    """A reference as it stands on the blackboard: half as long as its JSON, and with a checksum."""
    return pack(b"", (ref,))


def board_ref(value: bytes) -> ParamRef | None:
    """Read what `board_value` wrote; None if it is something else."""
    refs = unpack(b"", value)
    return refs[0] if refs else None
