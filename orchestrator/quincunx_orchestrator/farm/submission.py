"""How a job is to be treated, and the document that keeps it findable when Redis has lost everything."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from quincunx_orchestrator.core.lanes import STRICT, Barrier
from quincunx_orchestrator.farm.job import Priority
from quincunx_shared.farm.wire import BadMessage, dump
from quincunx_shared.names import Digest, RenderId


@dataclass(frozen=True)
class Submission:
    """How a job is to be treated. `song_key` names the song over its edits: a newer render supersedes an older."""

    song: str = ""
    song_key: str = ""
    priority: Priority = "user"
    tags: tuple[str, ...] = ()
    idempotency_key: str = ""
    supersede: bool = True
    barrier: Barrier = STRICT
    limit: int = 1000


@dataclass(frozen=True)
class Accepted:
    """A job that was accepted and is not over: what is needed to queue it again."""

    render: RenderId
    order: Digest
    fingerprint: str
    how: Submission
    #: By the clock of who submitted: jobs that are queued again keep their order, as far as those clocks agree.
    submitted_at: float = 0.0


#: Where the documents of accepted jobs lie; one is there until its job is over.
DOCUMENTS = "orders/"


def document_name(render: RenderId) -> str:
    """Where the document of an accepted job lies."""
    return f"{DOCUMENTS}{render}"


def accepted_to_bytes(job: Accepted) -> bytes:
    """Write the document of an accepted job."""
    return dump(asdict(job))


def accepted_from_bytes(content: bytes) -> Accepted:
    """Read what `accepted_to_bytes` wrote, or raise `BadMessage`."""
    try:
        told: dict[str, Any] = json.loads(content)
        how = told["how"]
        barrier = Barrier(**how.pop("barrier"))
        tags = tuple(how.pop("tags"))
        submission = Submission(**how, barrier=barrier, tags=tags)
        came = float(told.get("submitted_at", 0.0))
        return Accepted(RenderId(told["render"]), Digest(told["order"]), told["fingerprint"], submission, came)
    except (ValueError, TypeError, KeyError) as error:
        raise BadMessage(f"the document of a job cannot be read: {error}") from error
