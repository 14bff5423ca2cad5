"""What binding makes: steps with their data and signatures, segment by segment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from quincunx_orchestrator.core.compiler import Compiled, CompiledStep
from quincunx_orchestrator.core.segment import Segment
from quincunx_shared.errors import BadInput, QuincunxError
from quincunx_shared.hints import did_you_mean
from quincunx_shared.names import Address, Digest, PortKey, SegmentId, Signature
from quincunx_shared.payload import Encoded
from quincunx_shared.recipe import RecipeStep, Source


@dataclass(frozen=True, slots=True)
class BoundStep:
    """A step with its data: the sources of each input, in the manifest's order, and its recipe signature."""

    compiled: CompiledStep
    level: int
    sources: tuple[tuple[Source, ...], ...]
    signature: Signature
    #: Whether chance comes in that no seed reaches, here or upstream: then the signature names no one result.
    nameless: bool = False

    @property
    def step(self) -> RecipeStep:
        """The step itself, as a worker gets it."""
        return self.compiled.step

    @property
    def recipe(self) -> str:
        """The name of the recipe it belongs to."""
        return self.compiled.recipe

    @property
    def cluster(self) -> str:
        """The class of machine that runs it."""
        return self.compiled.cluster

    @property
    def outputs(self) -> Mapping[str, int]:
        """The position of each output."""
        return self.compiled.outputs


class Reading(Protocol):
    """Something that reads sources."""

    @property
    def sources(self) -> tuple[tuple[Source, ...], ...]:
        """The sources of each input."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What each step depends on: the steps of its own segment as bits, and the addresses read in other segments."""

    upstream: Mapping[str, int]
    outside: tuple[tuple[int, Address], ...]

    @classmethod
    def of(cls, segment: SegmentId, steps: Mapping[str, Reading]) -> Reach:
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
    """A segment with all its steps bound, or the error that keeps it from being rendered.

    `behind` are the outputs of bypassed nodes, with what is read in their place.
    """

    segment: Segment
    steps: Mapping[str, BoundStep] = field(default_factory=dict)
    compiled: Compiled | None = None
    reach: Reach = field(default_factory=lambda: Reach({}, ()))
    drawn_on: tuple[DrawnOn, ...] = ()
    behind: Mapping[PortKey, Source] = field(default_factory=dict)
    error: QuincunxError | None = None


@dataclass(frozen=True)
class BoundSong:
    """All segments of a render; those that read others stand after them."""

    segments: Mapping[SegmentId, BoundSegment]

    def step(self, segment: SegmentId, node: str) -> BoundStep:
        """Return one bound step."""
        return self.segments[segment].steps[node]

    def places(self, targets: Iterable[Address]) -> dict[Address, Address]:
        """Where the targets are made, through nested and bypassed nodes.

        Targets of segments that cannot be rendered are left out. Raises `BadInput` for one that does not exist.
        """
        found = {}
        for target in targets:
            bound = self.segments.get(target.segment)
            if bound is None:
                raise BadInput(f"no segment {target.segment!r}{did_you_mean(target.segment, self.segments)}")
            if bound.compiled is not None:
                found[target] = _place(bound, bound.compiled.exits.get(target.key, target.key), target)
        return found

    def errors(self) -> dict[SegmentId, QuincunxError]:
        """The segments that cannot be rendered, and why."""
        return {name: one.error for name, one in self.segments.items() if one.error is not None}

    def payloads(self, segment: SegmentId) -> Iterator[Encoded]:
        """Every payload the steps of a segment may ask for, so that it can be stored before they run."""
        bound = self.segments[segment]
        yield from bound.segment.effective.inputs.values()
        yield from bound.segment.effective.payloads
        for step in bound.steps.values():
            yield from step.compiled.presets.values()
        if bound.compiled is not None:
            yield from (one.constant for one in bound.compiled.passages.values())
        for name in linked_segments(bound.segment):
            # What was laid on the output of another segment is read here, even if nothing runs there.
            if self.segments[name].compiled is not None:
                other = self.segments[name]
            yield from self.payloads(name) if other.behind else other.segment.effective.payloads


def _place(bound: BoundSegment, key: PortKey, target: Address) -> Address:
    """Where one target is made: by its step, or by the step that flows through to it."""
    if key in bound.behind:
        address = bound.behind[key].address
        if address is None:
            raise BadInput(f"no step makes {target}: its node is bypassed, and nothing flows through it")
        return address
    if key.node not in bound.steps or key.port not in bound.steps[key.node].compiled.outputs:
        outputs = [f"{name}.{port}" for name, one in bound.steps.items() for port in one.compiled.outputs]
        raise BadInput(f"no output {target}{did_you_mean(str(target.key), outputs)}")
    return Address(target.segment, key)


def linked_segments(segment: Segment) -> Iterable[SegmentId]:
    """The segments whose outputs a segment reads."""
    return dict.fromkeys(address.segment for addresses in segment.links.values() for address in addresses)
