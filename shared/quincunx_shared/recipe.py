"""Recipes and bundles: what the orchestrator hands to a worker.

A recipe is static: the steps of one (level, cluster) of one topology, shared by all segments of that topology. A
bundle is a recipe bound to one segment's data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from quincunx_shared.intervention import Intervention
from quincunx_shared.names import Address, PortKey, SegmentId, Signature
from quincunx_shared.payload import ParamRef, encode


@dataclass(frozen=True, slots=True)
class Feed:
    """An input port of a step: the output ports that feed it, in order; none for an open port.

    A `spares` port goes on without those of its producers that failed.
    """

    port: str
    producers: tuple[PortKey, ...] = ()
    multi: bool = False
    spares: bool = False


@dataclass(frozen=True, slots=True)
class RecipeStep:
    """One step of a recipe: its options resolved, its feeds in the manifest's order, its outputs by position.

    `version` and, for numeric steps, `numeric_class` are those it was signed with: a worker that has others would store
    another result under the same name, so it has to leave the step to somebody else.
    """

    id: str
    step: str
    options: Mapping[str, Any]
    feeds: tuple[Feed, ...]
    outputs: tuple[str, ...]
    version: str = ""
    numeric_class: str = ""


@dataclass(frozen=True, slots=True)
class Recipe:
    """The steps of one (level, cluster), what they need from outside, and what others need from them.

    `requires` are external producers and open inputs; `exports` are outputs used outside, consumed by nobody, or
    pinned. Both are unique and sorted.
    """

    name: str
    level: int
    cluster: str
    steps: tuple[RecipeStep, ...]
    requires: tuple[PortKey, ...]
    exports: tuple[PortKey, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """Where one value of an input comes from, with what is laid on it on the way.

    Either `address` (another step's output in this render) or `value` (a payload from outside) is set.
    """

    address: Address | None = None
    value: ParamRef | None = None
    interventions: tuple[Intervention, ...] = ()


#: None, as a reference and as a source.
NULL = encode(None).ref
NOTHING = Source(value=NULL)


@dataclass(frozen=True, slots=True)
class Task:
    """One step that has to run: its recipe signature, its inputs in the order of the step's feeds, and why it runs.

    What a `nameless` task computes is not what its recipe signature names: an input failed and it goes on without,
    or chance came in that no seed reaches. It is stored under its call signature alone, and so is what reads it.
    """

    step: RecipeStep
    signature: Signature
    inputs: tuple[tuple[Source, ...], ...]
    reason: str = ""
    nameless: bool = False


@dataclass(frozen=True, slots=True)
class Bundle:
    """The tasks of one recipe for one segment, in order, and the outputs that later stages read."""

    segment: SegmentId
    recipe: str
    level: int
    cluster: str
    tasks: tuple[Task, ...]
    exports: tuple[PortKey, ...] = field(default=())
