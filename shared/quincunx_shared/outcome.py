"""What became of a bundle, as a value: a worker reports it, the orchestrator decides on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from quincunx_shared.names import Address, Digest
from quincunx_shared.payload import ParamRef
from quincunx_shared.recipe import Bundle

#: How a step's outputs came to be known without running it: by its recipe or by its real inputs.
RecalledBy: TypeAlias = Literal["recipe", "call"]


@dataclass
class BundleOutcome:
    """Which nodes of a bundle ran, were recalled, failed or were skipped, and what it exports.

    `failed` says of a node what went wrong; `skipped` names, for a node, the node it fell with. `nameless` nodes ran
    without a failed input, or on what such a node made. `lost` are blobs that an index promised and no store has:
    the render has to be planned again. So it has if it was `unfed`: the board no longer had what the bundle reads.
    """

    bundle: Bundle
    ran: list[str] = field(default_factory=list)
    recalled: dict[str, RecalledBy] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    nameless: set[str] = field(default_factory=set)
    exports: dict[Address, ParamRef] = field(default_factory=dict)
    lost: set[Digest] = field(default_factory=set)
    unfed: bool = False
