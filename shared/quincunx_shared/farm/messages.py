"""What the two kinds of messages of a farm say. A message is a hint: what it names lies in the work state.

run      to a worker: these bundles of a render are open, and hold this, by digest
advance  to a coordinator: look at this render
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from quincunx_shared.farm.envelope import BadEnvelope, open_sealed, seal
from quincunx_shared.names import Digest, RenderId

_RUN, _ADVANCE = "run", "advance"


@dataclass(frozen=True)
class RunBundles:
    """Bundles for one worker, in order, and the SHA-256 of what each of them holds."""

    render: RenderId
    generation: int
    bundles: tuple[str, ...]
    digests: tuple[Digest, ...]
    #: In the time of Redis; told by the envelope, for those who watch how long messages wait.
    sent_at: float = 0.0


def seal_run(message: RunBundles, key: bytes, now: float) -> str:
    """Write a message to a worker."""
    return seal(_RUN, asdict(replace(message, sent_at=round(now, 3))), key, now)


def open_run(text: object, keys: bytes | Sequence[bytes], now: float) -> RunBundles:
    """Read a message to a worker, or raise `BadEnvelope`."""
    told = open_sealed(text, _RUN, keys, now)
    try:
        message = RunBundles(
            RenderId(told["render"]),
            told["generation"],
            tuple(told["bundles"]),
            tuple(map(Digest, told["digests"])),
            float(told.get("sent_at", now)),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadEnvelope("a message lacks what it should name", remedy="update the older side") from error
    if len(message.bundles) != len(message.digests):
        raise BadEnvelope("a message names bundles without their digests")
    return message


def seal_advance(render: RenderId, key: bytes, now: float) -> str:
    """Write a message to a coordinator."""
    return seal(_ADVANCE, {"render": render}, key, now)


def open_advance(text: object, keys: bytes | Sequence[bytes], now: float) -> RenderId:
    """Read a message to a coordinator, or raise `BadEnvelope`."""
    return RenderId(str(open_sealed(text, _ADVANCE, keys, now).get("render", "")))
