"""An order: a bound song as a coordinator needs it, in bytes, without the graphs and histories it was made of.

Whoever submits keeps the song; the order holds what can be run of it: every step with its signature and its sources.
So it can be planned again at any time, by anybody, against whatever the cache holds by then. Steps of one topology
are written once.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from quincunx_orchestrator.core.bound import DrawnOn, Reach
from quincunx_orchestrator.core.collection import collector_paused
from quincunx_orchestrator.core.plannable import PlannableStep
from quincunx_orchestrator.core.planner import StepKey
from quincunx_orchestrator.core.segment_names import NAMELESS, SegmentNames
from quincunx_shared.errors import QuincunxError
from quincunx_shared.farm.wire import (
    BadMessage,
    dump,
    recipe_step_from_wire,
    recipe_step_to_wire,
    source_from_wire,
    source_to_wire,
)
from quincunx_shared.names import Address, Digest, PortKey, SegmentId, Signature
from quincunx_shared.payload import Encoded
from quincunx_shared.recipe import RecipeStep, Source

#: Changes when the form of orders does. A coordinator that does not know a form leaves the order to one that does.
FORM = 2


class UnknownForm(BadMessage):
    """An order of a newer version, or of a much older one: another coordinator may know it."""


class SubmittedSegment(Protocol):
    """What of a segment goes into an order."""

    @property
    def steps(self) -> Mapping[str, PlannableStep]:
        """By node, in topological order."""


class SubmittedSong(Protocol):
    """What of a song goes into an order."""

    @property
    def segments(self) -> Mapping[SegmentId, SubmittedSegment]:
        """By name; those that read others stand after them."""

    def errors(self) -> Mapping[SegmentId, QuincunxError]:
        """The segments that cannot be rendered, and why."""


@dataclass(frozen=True, slots=True)
class OrderedStep:
    """A step of an order."""

    step: RecipeStep
    recipe: str
    cluster: str
    level: int
    outputs: Mapping[str, int]
    sources: tuple[tuple[Source, ...], ...]
    signature: Signature
    nameless: bool


@dataclass(frozen=True, slots=True)
class OrderedSegment:
    """The steps of a segment, in topological order."""

    steps: Mapping[str, OrderedStep]
    reach: Reach
    drawn_on: tuple[DrawnOn, ...] = ()


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
) -> bytes:
    """Write an order. The targets stand where they are made (`BoundSong.places`)."""
    recipes: dict[tuple[int, str, str], int] = {}
    steps: list[Any] = []
    why = reasons or {}
    rows: list[Any] = []
    for name, segment in song.segments.items():
        row = []
        for node, one in segment.steps.items():
            # Segments of one topology share the very same step.
            key = (id(one.step), one.recipe, one.cluster)
            if key not in recipes:
                recipes[key] = len(steps)
                steps.append([recipe_step_to_wire(one.step), one.recipe, one.cluster])
            sources = [[source_to_wire(source) for source in found] for found in one.sources]
            row.append([recipes[key], one.level, sources, one.signature, one.nameless, why.get((name, node), "")])
        rows.append([name, names.labels.get(name, ""), names.places.get(name, ()), row])
    refused = {name: str(error) for name, error in song.errors().items()}
    told = [FORM, steps, rows, refused, _addresses_to_wire(targets), _addresses_to_wire(beside), sorted(files)]
    return zlib.compress(dump(told), level=1)


def order_from_bytes(content: bytes) -> Order:
    """Read what `order_to_bytes` wrote, or raise `BadMessage`."""
    with _refusing():
        steps, rows, refused, targets, beside, files = _opened(content)
        return replace(_read(steps, rows, refused, targets, beside), files=frozenset(map(Digest, files)))


def names_from_bytes(content: bytes) -> SegmentNames:
    """Read of an order only what people call its segments, or raise `BadMessage`."""
    with _refusing():
        return _names(_opened(content)[1])


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        with collector_paused():
            yield
    except (ValueError, TypeError, KeyError, IndexError, zlib.error) as error:
        raise BadMessage(f"an order cannot be read: {type(error).__name__}: {error}") from error


def _opened(content: bytes) -> list[Any]:
    """All of an order but its form."""
    form, *told = list(json.loads(zlib.decompress(content)))
    if form != FORM:
        raise UnknownForm(
            f"an order of form {form} is not known here", remedy="upgrade the older side; submit it again"
        )
    return told


def _read(steps: list[Any], rows: list[Any], refused: Any, targets: Any, beside: Any) -> Order:
    recipes = [(recipe_step_from_wire(told), recipe, cluster) for told, recipe, cluster in steps]
    places = [{port: place for place, port in enumerate(step.outputs)} for step, _, _ in recipes]
    segments: dict[SegmentId, OrderedSegment] = {}
    reasons: dict[StepKey, str] = {}
    for name, _, _, row in rows:
        segment = SegmentId(name)
        found: dict[str, OrderedStep] = {}
        for number, level, sources, signature, nameless, reason in row:
            step, recipe, cluster = recipes[number]
            read = tuple(tuple(map(source_from_wire, one)) for one in sources)
            found[step.id] = OrderedStep(
                step, recipe, cluster, level, places[number], read, Signature(signature), nameless
            )
            if reason:
                reasons[segment, step.id] = reason
        segments[segment] = OrderedSegment(found, Reach.of(segment, found))
    song = OrderedSong(segments, {SegmentId(name): told for name, told in refused.items()})
    return Order(song, _addresses_from_wire(targets), _addresses_from_wire(beside), reasons, _names(rows))


def _names(rows: list[Any]) -> SegmentNames:
    """What people call the segments of an order, without reading its steps."""
    labels = {SegmentId(name): label for name, label, _, _ in rows if label}
    return SegmentNames(labels, {SegmentId(name): tuple(places) for name, _, places, _ in rows if places})


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
