"""Binding: a compiled topology meets one segment's data, and every step gets its recipe signature.

The static recipe is not touched. Each step gets only its own inputs, and the interventions on what it reads. A
segment that did not change is not bound again: `bind_song` takes the binding of the song before the edit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from quincunx_orchestrator.core.collection import collector_paused
from quincunx_orchestrator.core.compiler import Compiled, CompiledStep, Compiler
from quincunx_orchestrator.core.segment import Segment
from quincunx_shared.canonical import Json
from quincunx_shared.errors import CompileError, InvalidGraph, MissingInputs
from quincunx_shared.hints import did_you_mean
from quincunx_shared.intervention import Intervention, Operator, replaces_value
from quincunx_shared.names import Address, Digest, PortKey, SegmentId, Signature
from quincunx_shared.payload import Encoded, encode
from quincunx_shared.recipe import Source
from quincunx_shared.signature import from_step, from_value, recipe_signature

_NULL = encode(None).ref
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class BoundStep:
    """A step with its data: the sources of each input, in the manifest's order, and its recipe signature."""

    compiled: CompiledStep
    level: int
    sources: tuple[tuple[Source, ...], ...]
    signature: Signature


@dataclass(frozen=True, slots=True)
class Reach:
    """What each step depends on: the steps of its own segment as bits, and the addresses read in other segments."""

    upstream: Mapping[str, int]
    outside: tuple[tuple[int, Address], ...]

    @classmethod
    def of(cls, segment: SegmentId, steps: Mapping[str, BoundStep]) -> Reach:
        """Follow the sources of steps that stand in topological order."""
        upstream: dict[str, int] = {}
        outside: list[tuple[int, Address]] = []
        for place, (name, step) in enumerate(steps.items()):
            bits = 1 << place
            for sources in step.sources:
                for source in sources:
                    address = source.address
                    if address is None:
                        continue
                    if address.segment == segment:
                        bits |= upstream[address.key.node]
                    else:
                        outside.append((1 << place, address))
            upstream[name] = bits
        return cls(upstream, tuple(outside))


@dataclass(frozen=True, slots=True)
class DrawnOn:
    """An override that remembers the output it was drawn on."""

    producer: Address
    digest: Digest


@dataclass(frozen=True, slots=True)
class BoundSegment:
    """A segment with all its steps bound, or the error that keeps it from being rendered."""

    segment: Segment
    steps: Mapping[str, BoundStep] = field(default_factory=dict)
    compiled: Compiled | None = None
    reach: Reach = field(default_factory=lambda: Reach({}, ()))
    drawn_on: tuple[DrawnOn, ...] = ()
    error: CompileError | None = None


@dataclass(frozen=True)
class BoundSong:
    """All segments of a render, in their order."""

    segments: Mapping[SegmentId, BoundSegment]

    def step(self, segment: SegmentId, node: str) -> BoundStep:
        """Return one bound step."""
        return self.segments[segment].steps[node]

    def errors(self) -> dict[SegmentId, CompileError]:
        """The segments that cannot be rendered, and why."""
        return {name: one.error for name, one in self.segments.items() if one.error is not None}

    def payloads(self, segment: SegmentId) -> Iterator[Encoded]:
        """Every payload the steps of a segment may ask for, so that it can be stored before they run."""
        bound = self.segments[segment]
        yield from bound.segment.effective.inputs.values()
        yield from bound.segment.effective.payloads
        for step in bound.steps.values():
            yield from step.compiled.presets.values()


def bind_song(
    segments: Iterable[Segment],
    compiler: Compiler,
    *,
    operators: Mapping[str, Operator] | None = None,
    before: BoundSong | None = None,
) -> BoundSong:
    """Bind all segments; those that read others (`links`) come after the ones they read.

    A segment object that stands in `before` unchanged, together with all it links to, keeps its binding.
    """
    bound: dict[SegmentId, BoundSegment] = {}
    former = before.segments if before else {}
    with collector_paused():
        for segment in _in_order_of_links(segments):
            old = former.get(segment.id)
            if old is not None and old.segment is segment and _links_unchanged(segment, former, bound):
                bound[segment.id] = old
            else:
                bound[segment.id] = _bind(segment, compiler, bound, operators or {})
    return BoundSong(bound)


def _bind(
    segment: Segment,
    compiler: Compiler,
    others: Mapping[SegmentId, BoundSegment],
    operators: Mapping[str, Operator],
) -> BoundSegment:
    """Bind one segment; what is wrong with it is its own and does not spoil the others."""
    try:
        return _Binding(segment, compiler.compile(segment), others, operators).result()
    except CompileError as error:
        return BoundSegment(segment, error=error)


def _in_order_of_links(segments: Iterable[Segment]) -> Sequence[Segment]:
    """Segments without links first. Links lead one level deep: a mix reads phrases, nothing reads a mix."""
    return sorted(segments, key=lambda segment: bool(segment.links))


def _links_unchanged(
    segment: Segment, former: Mapping[SegmentId, BoundSegment], bound: Mapping[SegmentId, BoundSegment]
) -> bool:
    names = {address.segment for addresses in segment.links.values() for address in addresses}
    return all(former.get(name) is bound.get(name) for name in names)


class _Binding:
    """Binds one segment, in topological order of its steps."""

    def __init__(
        self,
        segment: Segment,
        compiled: Compiled,
        others: Mapping[SegmentId, BoundSegment],
        operators: Mapping[str, Operator],
    ) -> None:
        self.segment = segment
        self.compiled = compiled
        self.others = others
        self.operators = operators
        self.steps: dict[str, BoundStep] = {}
        self.inputs = _redirected(segment.effective.inputs, compiled)
        self.links = _redirected(segment.links, compiled)
        self.interventions = _by_target(segment.effective.interventions, compiled)

    def result(self) -> BoundSegment:
        """Bind every step, then report what nothing supplies."""
        base = self._base_level()
        missing: dict[str, list[str]] = {}
        for name, compiled in self.compiled.steps.items():
            sources = tuple(self._sources(compiled, port) for port in range(len(compiled.step.feeds)))
            absent = _missing_ports(compiled, sources)
            if absent:
                missing[name] = absent
            inputs = [
                (feed.port, [self._pre_image(one) for one in found])
                for feed, found in zip(compiled.step.feeds, sources, strict=True)
            ]
            signature = recipe_signature(compiled.stamp, inputs)
            self.steps[name] = BoundStep(compiled, base + compiled.level, sources, signature)
        if missing:
            raise MissingInputs(missing, where=self.segment.label or self.segment.id)
        self._refuse_unknown_ports()
        reach = Reach.of(self.segment.id, self.steps)
        return BoundSegment(self.segment, self.steps, self.compiled, reach, self._drawn_on())

    def _base_level(self) -> int:
        """A segment that reads others starts one level above the last of them."""
        addresses = (address for found in self.segment.links.values() for address in found)
        levels = (self.others[one.segment].steps[one.key.node].level + 1 for one in addresses if self._is_bound(one))
        return max(levels, default=0)

    def _is_bound(self, address: Address) -> bool:
        return address.segment in self.others and address.key.node in self.others[address.segment].steps

    def _sources(self, compiled: CompiledStep, port: int) -> tuple[Source, ...]:
        feed = compiled.step.feeds[port]
        key = PortKey(compiled.step.id, feed.port)
        # An explicit value from outside wins over connections, which win over presets.
        if key in self.inputs:
            return (Source(value=self.inputs[key].ref),)
        if key in self.links:
            return tuple(self._linked(address, key) for address in self.links[key])
        if feed.producers:
            interventions = self.interventions
            return tuple(
                _intervened(Address(self.segment.id, one), interventions.get(one, ()), key, self.operators)
                for one in feed.producers
            )
        if feed.port in compiled.presets:
            return (Source(value=compiled.presets[feed.port].ref),)
        return ()

    def _linked(self, address: Address, consumer: PortKey) -> Source:
        other = self.others.get(address.segment)
        if other is None or other.compiled is None:
            # The other segment cannot be rendered: what reads it goes on without, where its manifest allows.
            return Source(value=_NULL)
        exits = other.compiled.exits
        key = exits.get(address.key, address.key)
        if key.node not in other.steps:
            raise InvalidGraph([f"{address} does not exist"], where=str(consumer))
        if not other.segment.effective.interventions:
            return Source(address if key is address.key else Address(address.segment, key))
        laid = _by_target(other.segment.effective.interventions, other.compiled).get(key, ())
        return _intervened(Address(address.segment, key), laid, consumer, self.operators)

    def _pre_image(self, source: Source) -> Json:
        if source.address is None:
            return from_value(source.value or _NULL, source.interventions)
        owner = source.address.segment
        steps = self.steps if owner == self.segment.id else self.others[owner].steps
        producer = steps[source.address.key.node]
        position = producer.compiled.outputs[source.address.key.port]
        return from_step(producer.signature, position, source.interventions)

    def _refuse_unknown_ports(self) -> None:
        """An input or intervention on a port that does not exist would silently do nothing."""
        known_inputs = {
            PortKey(name, feed.port) for name, one in self.compiled.steps.items() for feed in one.step.feeds
        }
        known_outputs = {PortKey(name, port) for name, one in self.compiled.steps.items() for port in one.outputs}
        unknown = [
            f"no input {key}{did_you_mean(str(key), map(str, known_inputs))}"
            for key in (*self.inputs, *self.links)
            if key not in known_inputs and key.node in self.compiled.steps
        ] + [
            f"no output {key}{did_you_mean(str(key), map(str, known_outputs))}"
            for key in self.interventions
            if key not in known_outputs and key.node in self.compiled.steps
        ]
        if unknown:
            raise InvalidGraph(unknown, where=self.segment.label or self.segment.id)

    def _drawn_on(self) -> tuple[DrawnOn, ...]:
        return tuple(
            DrawnOn(Address(self.segment.id, key), one.drawn_on)
            for key, found in self.interventions.items()
            for one in found
            if one.drawn_on is not None
        )


def _redirected(values: Mapping[PortKey, _Value], compiled: Compiled) -> Mapping[PortKey, _Value]:
    """Move what was given to ports of nested or bypassed nodes to the ports that read it now."""
    if not compiled.entrances and not compiled.moved:
        return values
    found: dict[PortKey, _Value] = {}
    for key, value in values.items():
        for one in compiled.entrances.get(key, (key,)):
            found[one] = value
    for target, origin in compiled.moved.items():
        if origin in found:
            found[target] = found[origin]
    return found


def _by_target(interventions: Sequence[Intervention], compiled: Compiled) -> dict[PortKey, tuple[Intervention, ...]]:
    """Interventions by the output they lie on, with nested addresses followed to where the ports are now."""
    found: dict[PortKey, tuple[Intervention, ...]] = {}
    for one in interventions:
        target = compiled.exits.get(one.target, one.target)
        scopes = compiled.entrances.get(one.scope, (one.scope,)) if one.scope else (None,)
        for scope in scopes:
            found[target] = (*found.get(target, ()), replace(one, target=target, scope=scope))
    return found


def _intervened(
    address: Address, laid: Sequence[Intervention], consumer: PortKey, operators: Mapping[str, Operator]
) -> Source:
    """The source with the interventions that reach this consumer. A replaced value spares its producer."""
    if not laid:
        return Source(address)
    mine = tuple(one for one in laid if one.scope in (None, consumer))
    replacing = [place for place, one in enumerate(mine) if replaces_value(one, operators)]
    if not replacing:
        return Source(address, interventions=mine)
    last = replacing[-1]
    if mine[last].kind == "override":
        return Source(value=mine[last].operand, interventions=mine[last + 1 :])
    return Source(value=_NULL, interventions=mine[last:])


def _missing_ports(compiled: CompiledStep, sources: Sequence[tuple[Source, ...]]) -> list[str]:
    return [
        port.name
        for port, found in zip(compiled.manifest.inputs, sources, strict=True)
        if port.required and not port.multi and not found
    ]
