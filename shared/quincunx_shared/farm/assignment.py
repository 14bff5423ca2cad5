"""What a `quincunx.run_bundles` message says: which bundles of which render, and by digest what each of them is.

It only names work. Whether there is any left, and what it is, stands in the work state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from quincunx_shared.farm.wire import BadMessage
from quincunx_shared.farm.work_state import BundleId
from quincunx_shared.names import Digest, RenderId

#: What an older worker does not know, it leaves to a newer one.
VERSION = 1


@dataclass(frozen=True, slots=True)
class Assignment:
    """Bundles of a render, with the digests of their content. `title` is for people who watch the queues."""

    render: RenderId
    bundles: Mapping[BundleId, Digest]
    title: str = ""


class _Fields(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    version: int = Field(ge=VERSION, le=VERSION)
    render: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    bundles: dict[str, str] = Field(min_length=1, max_length=10_000)
    title: str = Field(default="", max_length=1000)


def assignment_to_fields(told: Assignment) -> dict[str, Any]:
    """The fields of an envelope."""
    return {"version": VERSION, "render": told.render, "bundles": dict(told.bundles), "title": told.title}


def assignment_from_fields(fields: Mapping[str, Any]) -> Assignment:
    """Read what `assignment_to_fields` wrote, or raise `BadMessage`."""
    try:
        told = _Fields.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise BadMessage(f"an assignment cannot be read: {place}: {first['msg']}") from None
    bundles = {name: Digest(digest) for name, digest in told.bundles.items()}
    return Assignment(RenderId(told.render), bundles, told.title)
