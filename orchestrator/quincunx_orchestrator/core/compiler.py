"""Compilation: one topology becomes recipes in stage order, once, for all segments that share it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from quincunx_orchestrator.core.bypass import Passage, take_out_bypassed
from quincunx_orchestrator.core.cluster import levels_of, paint
from quincunx_orchestrator.core.graph import Graph, Node
from quincunx_orchestrator.core.nesting import inline, refuse_self_nesting
from quincunx_orchestrator.core.segment import Segment
from quincunx_orchestrator.core.validation import check_steps, topological_order, validate
from quincunx_shared.errors import CompileError
from quincunx_shared.manifest import Manifest
from quincunx_shared.names import Digest, PortKey
from quincunx_shared.payload import Encoded, encode
from quincunx_shared.recipe import Feed, Recipe, RecipeStep
from quincunx_shared.signature import stamp_of


@dataclass(frozen=True)
class CompiledStep:
    """A step of a recipe with everything that does not depend on a segment's data."""

    step: RecipeStep
    manifest: Manifest
    stamp: bytes
    level: int
    recipe: str
    cluster: str
    presets: Mapping[str, Encoded]
    outputs: Mapping[str, int]


@dataclass(frozen=True)
class Compiled:
    """What one topology compiles to.

    `entrances` and `exits` say where ports of nested nodes are now; `reads` and `passages` what stands behind the
    outputs of bypassed nodes, whose inputs are `bypassed` (see `bypass.Rewired`).
    """

    recipes: tuple[Recipe, ...]
    steps: Mapping[str, CompiledStep]
    entrances: Mapping[PortKey, tuple[PortKey, ...]]
    exits: Mapping[PortKey, PortKey]
    reads: Mapping[PortKey, tuple[PortKey, ...]]
    passages: Mapping[PortKey, Passage]
    bypassed: frozenset[PortKey] = frozenset()

    @cached_property
    def stages(self) -> tuple[tuple[str, ...], ...]:
        """The names of the recipes of each level."""
        count = max((recipe.level for recipe in self.recipes), default=-1) + 1
        return tuple(tuple(one.name for one in self.recipes if one.level == level) for level in range(count))


@dataclass
class Compiler:
    """Compiles segments, each topology once.

    `numeric_class` names the machine class of numeric steps; `classes`, by cluster, where it is another one.
    """

    manifests: Mapping[str, Manifest]
    numeric_class: str = ""
    classes: Mapping[str, str] = field(default_factory=dict)
    compilations: int = 0
    _known: dict[object, Compiled] = field(default_factory=dict)

    def compile(self, segment: Segment) -> Compiled:
        """Return the compiled topology of a segment."""
        graph = segment.effective.graph
        refuse_self_nesting(graph)
        key = _topology_key(graph.digest, segment)
        if key not in self._known:
            self._known[key] = compile_graph(
                graph,
                self.manifests,
                colours=segment.colours,
                merge_groups=segment.merge_groups,
                pinned=segment.pinned,
                numeric_class=self.numeric_class,
                classes=self.classes,
            )
            self.compilations += 1
        return self._known[key]

    def compile_all(self, segments: Iterable[Segment]) -> tuple[Compiled | CompileError, ...]:
        """Compile every segment, in order; the error of a bad one is its own and does not spoil the others."""
        return tuple(self._attempt(segment) for segment in segments)

    def _attempt(self, segment: Segment) -> Compiled | CompileError:
        try:
            return self.compile(segment)
        except CompileError as error:
            return error


def _topology_key(digest: Digest, segment: Segment) -> object:
    groups = tuple((name, colours) for name, colours in sorted(segment.merge_groups.items()))
    return (digest, tuple(sorted(segment.colours.items())), groups, segment.pinned)


def compile_graph(
    graph: Graph,
    manifests: Mapping[str, Manifest],
    *,
    colours: Mapping[str, str] | None = None,
    merge_groups: Mapping[str, tuple[str, ...]] | None = None,
    pinned: frozenset[PortKey] = frozenset(),
    numeric_class: str = "",
    classes: Mapping[str, str] | None = None,
) -> Compiled:
    """Inline, take out bypassed nodes, validate, paint, level, and cut into recipes."""
    inlined = inline(graph)
    check_steps(inlined.graph, manifests)
    validate(inlined.graph)
    rewired = take_out_bypassed(inlined.graph, manifests)
    flat = rewired.graph
    order = topological_order(flat)
    painted = paint(flat, order, _explicit_colours(flat, colours or {}), merge_groups)
    levels = levels_of(flat, order, painted)
    computed_as = {name: (classes or {}).get(painted[name], numeric_class) for name in order}
    steps = {name: _recipe_step(flat, flat.nodes[name], manifests, computed_as[name]) for name in order}
    kept = frozenset(inlined.outputs.get(key, key) for key in pinned)
    recipes = _recipes(flat, order, painted, levels, steps, kept)
    recipe_of = {step.id: recipe.name for recipe in recipes for step in recipe.steps}
    compiled = {
        name: CompiledStep(
            step=steps[name],
            manifest=manifests[flat.nodes[name].step],
            stamp=stamp_of(manifests[flat.nodes[name].step], steps[name].options, computed_as[name]),
            level=levels[name],
            recipe=recipe_of[name],
            cluster=painted[name],
            presets=_presets(flat.nodes[name], manifests[flat.nodes[name].step]),
            outputs={port: place for place, port in enumerate(flat.nodes[name].outputs)},
        )
        for name in order
    }
    return Compiled(recipes, compiled, inlined.inputs, inlined.outputs, rewired.reads, rewired.passages, rewired.inputs)


def _explicit_colours(graph: Graph, colours: Mapping[str, str]) -> dict[str, str]:
    """The colour of a nested node is the colour of everything in it that has none of its own."""
    explicit = {}
    for name in graph.nodes:
        parts = name.split("/")
        prefixes = ("/".join(parts[:count]) for count in range(len(parts), 0, -1))
        chosen = next((colours[prefix] for prefix in prefixes if prefix in colours), None)
        if chosen is not None:
            explicit[name] = chosen
    return explicit


def _recipe_step(graph: Graph, node: Node, manifests: Mapping[str, Manifest], numeric_class: str) -> RecipeStep:
    manifest = manifests[node.step]
    options = manifest.resolve_options(node.options, where=node.id)
    feeds = tuple(
        Feed(port.name, graph.producers.get(PortKey(node.id, port.name), ()), port.multi, port.multi and port.partial)
        for port in manifest.inputs
    )
    numeric = numeric_class if manifest.numeric else ""
    return RecipeStep(node.id, node.step, options, feeds, node.outputs, manifest.version, numeric)


def _presets(node: Node, manifest: Manifest) -> dict[str, Encoded]:
    """What stands on unconnected inputs: the node's presets, else the manifest's defaults."""
    defaults = {port.name: port.default for port in manifest.inputs if port.default is not None}
    return {name: encode(value) for name, value in {**defaults, **node.presets}.items()}


def _recipes(
    graph: Graph,
    order: Sequence[str],
    colours: Mapping[str, str],
    levels: Mapping[str, int],
    steps: Mapping[str, RecipeStep],
    pinned: frozenset[PortKey],
) -> tuple[Recipe, ...]:
    """Group nodes by (level, colour), in stage order and, within a stage, in order of first appearance."""
    groups: dict[tuple[int, str], list[str]] = {}
    for name in order:
        groups.setdefault((levels[name], colours[name]), []).append(name)
    split = {colour for _, colour in groups if sum(1 for _, other in groups if other == colour) > 1}
    return tuple(
        Recipe(
            # Once a colour is split, every recipe is named with its level: names then sort as they run.
            name=f"{colour}@{level}" if split else colour,
            level=level,
            cluster=colour,
            steps=tuple(steps[name] for name in names),
            requires=_requires(graph, names),
            exports=_exports(graph, names, pinned),
        )
        for (level, colour), names in sorted(groups.items(), key=lambda group: group[0][0])
    )


def _requires(graph: Graph, names: Sequence[str]) -> tuple[PortKey, ...]:
    inside = set(names)
    found: set[PortKey] = set()
    for name in names:
        for port in graph.nodes[name].inputs:
            key = PortKey(name, port)
            producers = graph.producers.get(key, ())
            found.update(one for one in producers if one.node not in inside)
            if not producers:
                found.add(key)
    return tuple(sorted(found))


def _exports(graph: Graph, names: Sequence[str], pinned: frozenset[PortKey]) -> tuple[PortKey, ...]:
    inside = set(names)
    found: set[PortKey] = set()
    for name in names:
        for port in graph.nodes[name].outputs:
            key = PortKey(name, port)
            consumers = graph.consumers.get(key, ())
            if not consumers or key in pinned or any(one.node not in inside for one in consumers):
                found.add(key)
    return tuple(sorted(found))
