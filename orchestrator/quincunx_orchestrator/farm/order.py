"""An order: a bound song as a coordinator needs it, in bytes, without the graphs and histories it was made of.

Whoever submits keeps the song; the order holds what can be run of it: every step with its signature and its sources.
So it can be planned again at any time, by anybody, against whatever the cache holds by then. Steps of one topology
are written once.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from quincunx_orchestrator.core.planner import StepKey
from quincunx_orchestrator.core.segment_names import NAMELESS, SegmentNames
from quincunx_orchestrator.farm.order_form import FORM, names_from, opened, refusing
from quincunx_orchestrator.farm.order_rows import OrderedSegment, OrderedStep, RowReader, RowWriter, SubmittedSegment
from quincunx_shared.errors import QuincunxError
from quincunx_shared.farm.wire import (
    dump,
)
from quincunx_shared.names import Address, Digest, PortKey, SegmentId
from quincunx_shared.payload import Encoded


class SubmittedSong(Protocol):
    """What of a song goes into an order."""

    @property
    def segments(self) -> Mapping[SegmentId, SubmittedSegment]:
        """By name; those that read others stand after them."""

    def errors(self) -> Mapping[SegmentId, QuincunxError]:
        """The segments that cannot be rendered, and why."""


@dataclass(frozen=True)
class OrderedSong:
    """The segments of an order. Its targets stand where they are made, and its payloads are stored."""

    segments: Mapping[SegmentId, OrderedSegment]
    refused: Mapping[SegmentId, str] = field(default_factory=dict)

    def step(self, segment: SegmentId, node: str) -> OrderedStep:
        """Return one step."""
        return self.segments[segment].steps[node]

    def places(self, targets: Iterable[Address]) -> dict[Address, Address]:
        """Every target is where it is made."""
        return {target: target for target in targets}

    def errors(self) -> Mapping[SegmentId, QuincunxError]:
        """What was wrong with segments before the order was given."""
        return {name: QuincunxError(told) for name, told in self.refused.items()}

    def payloads(self, segment: SegmentId) -> Iterator[Encoded]:  # noqa: ARG002 - as a bound song
        """Nothing: whoever submits stores them first."""
        return iter(())


@dataclass(frozen=True)
class Order:
    """What is to be rendered. `beside` are targets that may fail; `reasons` say why a step runs, as far as is known."""

    song: OrderedSong
    targets: tuple[Address, ...]
    beside: tuple[Address, ...] = ()
    reasons: Mapping[StepKey, str] = field(default_factory=dict)
    #: What a person calls its segments.
    names: SegmentNames = NAMELESS
    #: The files of voices its steps may ask for.
    files: frozenset[Digest] = frozenset()


def order_to_bytes(
    song: SubmittedSong,
    targets: Iterable[Address],
    beside: Iterable[Address] = (),
    *,
    reasons: Mapping[StepKey, str] | None = None,
    names: SegmentNames = NAMELESS,
    files: Iterable[Digest] = (),
    rows: RowWriter | None = None,
) -> bytes:
    """Write an order. The targets stand where they are made (`BoundSong.places`)."""
    texts, steps = (rows or RowWriter()).write(song.segments)
    why = [[segment, node, reason] for (segment, node), reason in (reasons or {}).items()]
    refused = {name: str(error) for name, error in song.errors().items()}
    called = [names.labels, names.places, names.files]
    told = [FORM, texts, steps, called, why, refused, _addresses_to_wire(targets), _addresses_to_wire(beside), [*files]]
    return zlib.compress(dump(told), level=1)


def order_from_bytes(content: bytes, rows: RowReader | None = None) -> Order:
    """Read what `order_to_bytes` wrote, or raise `BadMessage`."""
    with refusing():
        texts, steps, called, why, refused, targets, beside, files = opened(content)
        song = OrderedSong(
            (rows or RowReader()).read(texts, steps), {SegmentId(name): told for name, told in refused.items()}
        )
        return Order(
            song,
            _addresses_from_wire(targets),
            _addresses_from_wire(beside),
            {(SegmentId(segment), node): reason for segment, node, reason in why},
            names_from(*called),
            frozenset(map(Digest, files)),
        )


def payload_digests(order: Order) -> set[Digest]:
    """The digests of all payloads that the steps of an order may read from the store."""
    found: set[Digest] = set()
    for segment in order.song.segments.values():
        for step in segment.steps.values():
            for source in (one for sources in step.sources for one in sources):
                refs = [source.value] if source.value else []
                for laid in source.interventions:
                    refs += [laid.operand, *([laid.user] if laid.user else [])]
                found.update(ref.digest for ref in refs if ref.inline is None)
    return found


def _addresses_to_wire(addresses: Iterable[Address]) -> list[Any]:
    return [[one.segment, one.key.node, one.key.port] for one in addresses]


def _addresses_from_wire(told: Iterable[Any]) -> tuple[Address, ...]:
    return tuple(Address(SegmentId(segment), PortKey(node, port)) for segment, node, port in told)
