"""Binding: a compiled topology meets one segment's data, and every step gets its recipe signature.

The static recipe is not touched. Each step gets only its own inputs, and the interventions on what it reads. A
segment that did not change is not bound again: `bind_song` takes the binding of the song before the edit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from quincunx_orchestrator.core.bound import BoundSegment, BoundSong, BoundStep, DrawnOn, Reach, linked_segments
from quincunx_orchestrator.core.collection import collector_paused
from quincunx_orchestrator.core.compiler import Compiled, CompiledStep, Compiler
from quincunx_orchestrator.core.faults import fault_of
from quincunx_orchestrator.core.redirection import by_target, is_curve, redirected
from quincunx_orchestrator.core.segment import Segment
from quincunx_shared.canonical import Json
from quincunx_shared.errors import BadInput, CompileError, CyclicGraph, InvalidGraph, MissingInputs
from quincunx_shared.hints import did_you_mean
from quincunx_shared.intervention import Intervention, Operator, replaces_value
from quincunx_shared.names import Address, Digest, PortKey, SegmentId
from quincunx_shared.recipe import NOTHING, NULL, Feed, Source
from quincunx_shared.signature import from_step, from_value, recipe_signature

__all__ = ["BoundSegment", "BoundSong", "BoundStep", "DrawnOn", "bind_song"]


def bind_song(
    segments: Iterable[Segment],
    compiler: Compiler,
    *,
    operators: Mapping[str, Operator] | None = None,
    before: BoundSong | None = None,
) -> BoundSong:
    """Bind all segments; those that read others (`links`) come after the ones they read.

    A segment object that stands in `before` unchanged, together with all it links to, keeps its binding. Raises
    `BadInput` if two segments have one name, and `CyclicGraph` if segments read each other in a circle.
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
        compiled = compiler.compile(segment)
    except CompileError as error:
        return BoundSegment(segment, error=fault_of(segment, compiler.manifests, error))
    except BadInput as error:
        return BoundSegment(segment, error=error)
    try:
        return _Binding(segment, compiled, others, operators).result()
    except (CompileError, BadInput) as error:
        return BoundSegment(segment, error=error)


def _in_order_of_links(segments: Iterable[Segment]) -> Sequence[Segment]:
    """Every segment after those it reads, otherwise in their order."""
    by_name: dict[SegmentId, Segment] = {}
    for segment in segments:
        if segment.id in by_name:
            raise BadInput(f"two segments are named {segment.id!r}")
        by_name[segment.id] = segment
    order = [segment for segment in by_name.values() if not segment.links]
    waiting = {segment.id: segment for segment in by_name.values() if segment.links}
    while waiting:
        free = [one for one in waiting.values() if not any(name in waiting for name in linked_segments(one))]
        if not free:
            raise CyclicGraph([*waiting], where="links between segments")
        order.extend(free)
        for one in free:
            del waiting[one.id]
    return order


def _links_unchanged(
    segment: Segment, former: Mapping[SegmentId, BoundSegment], bound: Mapping[SegmentId, BoundSegment]
) -> bool:
    return not segment.links or all(former.get(name) is bound.get(name) for name in linked_segments(segment))


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
        self.curves = frozenset(one.ref.digest for one in segment.effective.payloads if is_curve(one))
        self.inputs = redirected(segment.effective.inputs, compiled)
        self.links = redirected(segment.links, compiled)
        self.interventions = by_target(segment.effective.interventions, compiled)

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
            nameless = not compiled.manifest.cacheable or any(map(self._is_nameless, chain.from_iterable(sources)))
            self.steps[name] = BoundStep(compiled, base + compiled.level, sources, signature, nameless)
        if missing:
            raise MissingInputs(missing, where=self.segment.label or self.segment.id)
        self._refuse_unknown_ports()
        reach = Reach.of(self.segment.id, self.steps)
        behind = {key: self._read(key, key) for key in self.compiled.passages}
        return BoundSegment(self.segment, self.steps, self.compiled, reach, self._drawn_on(), behind)

    def _base_level(self) -> int:
        """A segment that reads others starts one level above the last of them, and of those they hand on."""
        others = dict.fromkeys(name for name in linked_segments(self.segment) if name in self.others)
        for name in tuple(others):
            behind = self.others[name].behind.values()
            others.update(dict.fromkeys(source.address.segment for source in behind if source.address))
        return max((step.level + 1 for name in others for step in self.others[name].steps.values()), default=0)

    def _sources(self, compiled: CompiledStep, port: int) -> tuple[Source, ...]:
        feed = compiled.step.feeds[port]
        key = PortKey(compiled.step.id, feed.port)
        # An explicit value from outside wins over connections, which win over presets.
        if key in self.inputs:
            return (Source(value=self.inputs[key].ref),)
        if key in self.links:
            return tuple(self._linked(address, key, feed) for address in self.links[key])
        producers = self.compiled.reads.get(key, feed.producers)
        if producers:
            return tuple(self._read(one, key) for one in producers)
        if feed.port in compiled.presets:
            return (Source(value=compiled.presets[feed.port].ref),)
        return ()

    def _read(self, producer: PortKey, consumer: PortKey) -> Source:
        """What a consumer reads from an output; behind a bypassed node, what that node's own input would read."""
        passage = self.compiled.passages.get(producer)
        if passage is None:
            laid = self.interventions.get(producer, ())
            return self._intervened(Address(self.segment.id, producer), laid, consumer, self.curves)
        if passage.entrance is not None and passage.entrance in self.inputs:
            return Source(value=self.inputs[passage.entrance].ref)
        if passage.entrance is not None and passage.entrance in self.links:
            return self._linked(self.links[passage.entrance][0], passage.entrance, Feed(passage.entrance.port))
        if passage.entrance is not None and passage.producer is not None:
            return self._read(passage.producer, passage.entrance)
        return Source(value=passage.constant.ref)

    def _linked(self, address: Address, consumer: PortKey, feed: Feed) -> Source:
        other = self.others.get(address.segment)
        if other is None:
            hint = did_you_mean(address.segment, self.others)
            raise InvalidGraph([f"no segment {address.segment!r}{hint}"], where=str(consumer))
        if other.compiled is None:
            if feed.spares:
                return NOTHING
            raise InvalidGraph([f"{address.segment} cannot be rendered: {other.error}"], where=str(consumer))
        exits = other.compiled.exits
        key = exits.get(address.key, address.key)
        if key in other.behind:
            return other.behind[key]
        if key.node not in other.steps or key.port not in other.steps[key.node].compiled.outputs:
            raise InvalidGraph([f"no output {address}"], where=str(consumer))
        if not other.segment.effective.interventions:
            return Source(address if key is address.key else Address(address.segment, key))
        # A scope is an address in the other segment's own graph; it means no consumer here.
        laid = by_target(other.segment.effective.interventions, other.compiled).get(key, ())
        wide = tuple(one for one in laid if one.scope is None)
        curves = frozenset(one.ref.digest for one in other.segment.effective.payloads if is_curve(one))
        return self._intervened(Address(address.segment, key), wide, consumer, curves)

    def _intervened(
        self, address: Address, laid: Sequence[Intervention], consumer: PortKey, curves: frozenset[Digest]
    ) -> Source:
        """The source with the interventions that reach this consumer. A replaced value spares its producer.

        A curve has no length of its own, so what it replaces is still needed: it says how many samples to take.
        """
        if not laid:
            return Source(address)
        mine = tuple(one for one in laid if one.scope in (None, consumer))
        replacing = [place for place, one in enumerate(mine) if replaces_value(one, self.operators)]
        if not replacing or mine[replacing[-1]].operand.digest in curves:
            return Source(address, interventions=mine)
        last = replacing[-1]
        if mine[last].kind == "override":
            return Source(value=mine[last].operand, interventions=mine[last + 1 :])
        return Source(value=NULL, interventions=mine[last:])

    def _is_nameless(self, source: Source) -> bool:
        if source.address is None:
            return False
        owner = source.address.segment
        steps = self.steps if owner == self.segment.id else self.others[owner].steps
        return steps[source.address.key.node].nameless

    def _pre_image(self, source: Source) -> Json:
        if source.address is None:
            return from_value(source.value or NULL, source.interventions)
        owner = source.address.segment
        steps = self.steps if owner == self.segment.id else self.others[owner].steps
        producer = steps[source.address.key.node]
        position = producer.compiled.outputs[source.address.key.port]
        return from_step(producer.signature, position, source.interventions)

    def _refuse_unknown_ports(self) -> None:
        """An input or intervention on a port that does not exist would silently do nothing."""
        known_inputs = {
            PortKey(name, feed.port): feed for name, one in self.compiled.steps.items() for feed in one.step.feeds
        }
        known_outputs = {PortKey(name, port) for name, one in self.compiled.steps.items() for port in one.outputs}
        unknown = [
            f"no input {key}{did_you_mean(str(key), map(str, known_inputs))}"
            for key in (*self.inputs, *self.links, *self._scopes())
            if key not in known_inputs and key not in self.compiled.bypassed and not self._sleeps(key)
        ]
        unknown += [
            f"no node {key.node!r} for {key}{did_you_mean(key.node, self.segment.effective.graph.nodes)}"
            for key in self.segment.effective.strangers
        ]
        unknown += [
            f"no output {key}{did_you_mean(str(key), map(str, known_outputs))}"
            for key in self.interventions
            if key not in known_outputs and key.node in self.compiled.steps
        ]
        unknown += [
            f"{key} has {len(addresses)} producers: {', '.join(map(str, addresses))}"
            for key, addresses in self.links.items()
            if len(addresses) > 1 and self._takes_one(key, known_inputs)
        ]
        if unknown:
            raise InvalidGraph(unknown, where=self.segment.label or self.segment.id)

    def _scopes(self) -> list[PortKey]:
        """The consumers that interventions are meant for."""
        return [one.scope for laid in self.interventions.values() for one in laid if one.scope is not None]

    def _sleeps(self, key: PortKey) -> bool:
        """Whether what was given to a port waits for a node that an edit has removed."""
        names = {key.node, key.node.partition("/")[0]}
        return bool(names & self.segment.graph.nodes.keys()) and not names & self.segment.effective.graph.nodes.keys()

    def _takes_one(self, key: PortKey, known: Mapping[PortKey, Feed]) -> bool:
        """Whether an input has room for one producer only, as every passage through a bypassed node has."""
        if key in known:
            return not known[key].multi
        return any(passage.entrance == key for passage in self.compiled.passages.values())

    def _drawn_on(self) -> tuple[DrawnOn, ...]:
        return tuple(
            DrawnOn(Address(self.segment.id, key), one.drawn_on)
            for key, found in self.interventions.items()
            for one in found
            if one.drawn_on is not None and key.node in self.steps
        )


def _missing_ports(compiled: CompiledStep, sources: Sequence[tuple[Source, ...]]) -> list[str]:
    return [
        port.name
        for port, found in zip(compiled.manifest.inputs, sources, strict=True)
        if port.required and not port.multi and not found
    ]
