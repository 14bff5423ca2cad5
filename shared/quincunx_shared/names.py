"""Names that several parts exchange: ids, digests, and the address of a port."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType

#: A segment within one render. Never part of a signature.
SegmentId = NewType("SegmentId", str)
#: Lower-case hex SHA-256 of some bytes.
Digest = NewType("Digest", str)
#: The name of a computation: lower-case hex SHA-256 of its pre-image.
Signature = NewType("Signature", str)
#: One execution of a plan; also its fencing token.
RenderId = NewType("RenderId", str)

#: The segment whose graph mixes the outputs of all others.
SONG = SegmentId("song")


@dataclass(frozen=True, slots=True, order=True)
class PortKey:
    """The address of a port inside one graph. A value, never a joined string."""

    node: str
    port: str

    def __str__(self) -> str:
        return f"{self.node}.{self.port}"


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """The address of a port inside one render: which segment's graph, then which port."""

    segment: SegmentId
    key: PortKey

    def __str__(self) -> str:
        return f"{self.segment}/{self.key}"
