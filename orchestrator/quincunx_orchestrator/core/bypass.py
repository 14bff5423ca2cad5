"""Bypass: a node that is switched off is taken out of the graph before signatures.

`mute` gives None on all outputs. `pass_through` hands chosen inputs to outputs of the same type, `defaults` gives
constants. Without any rule each output takes the first input of its type that is not used yet, else the empty
value of its type. Interventions on the outputs of a bypassed node sleep while it is bypassed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from quincunx_orchestrator.core.graph import Bypass, Edge, Graph, Node
from quincunx_shared.errors import InvalidGraph
from quincunx_shared.hints import did_you_mean
from quincunx_shared.manifest import Input, Manifest
from quincunx_shared.names import PortKey
from quincunx_shared.payload import Encoded, Payload, encode

#: What flows where nothing flows, by type; None for every other type.
EMPTY_VALUES: Mapping[str, Payload] = {
    "audio": np.zeros(0, dtype=np.float32),
    "curve": np.zeros(0, dtype=np.float32),
    "number": 0.0,
    "text": "",
}


@dataclass(frozen=True)
class Passage:
    """What stands behind an output of a bypassed node: what its `entrance` would read, else `constant`.

    `producer` is what is connected to the entrance, if anything.
    """

    entrance: PortKey | None
    producer: PortKey | None
    constant: Encoded


@dataclass(frozen=True)
class Rewired:
    """A graph without bypassed nodes.

    `reads` are the former producers, in order, of every input that read a bypassed node; `passages` say what stands
    behind those of them that are gone. `inputs` are the ports of the nodes that were taken out.
    """

    graph: Graph
    passages: Mapping[PortKey, Passage] = field(default_factory=dict)
    reads: Mapping[PortKey, tuple[PortKey, ...]] = field(default_factory=dict)
    inputs: frozenset[PortKey] = frozenset()


def take_out_bypassed(graph: Graph, manifests: Mapping[str, Manifest]) -> Rewired:
    """Rewire around every bypassed node of an acyclic graph."""
    bypassed = {name: node.bypass for name, node in graph.nodes.items() if node.bypass is not None}
    if not bypassed:
        return Rewired(graph)
    passages: dict[PortKey, Passage] = {}
    for name, bypass in bypassed.items():
        passages.update(_passages(graph, graph.nodes[name], bypass, manifests[graph.nodes[name].step]))
    kept = {name: node for name, node in graph.nodes.items() if name not in bypassed}
    edges = [edge for edge in graph.edges if edge.target.node in kept]
    followed = ((_behind(edge.source, passages), edge.target) for edge in edges)
    return Rewired(
        Graph(kept, {Edge(source, target): None for source, target in followed if source is not None}),
        passages,
        {edge.target: graph.producers[edge.target] for edge in edges if edge.source in passages},
        frozenset(PortKey(name, port) for name in bypassed for port in graph.nodes[name].inputs),
    )


def _behind(source: PortKey, passages: Mapping[PortKey, Passage]) -> PortKey | None:
    """The step's output that flows through to an output, past all bypassed nodes."""
    found: PortKey | None = source
    while found is not None and found in passages:
        found = passages[found].producer
    return found


def _passages(graph: Graph, node: Node, bypass: Bypass, manifest: Manifest) -> dict[PortKey, Passage]:
    inputs = {port.name: port for port in manifest.inputs}
    # The node's outputs may have names of their own; their types stand at the same places in the manifest.
    types = {name: port.type for name, port in zip(node.outputs, manifest.outputs, strict=True)}
    found = {}
    for output, entrance in _routes(node, bypass, inputs, types).items():
        key = PortKey(node.id, entrance) if entrance else None
        producers = graph.producers.get(key, ()) if key else ()
        constant = encode(_constant(node, bypass, output, inputs.get(entrance or ""), types[output]))
        found[PortKey(node.id, output)] = Passage(key, producers[0] if producers else None, constant)
    return found


def _routes(node: Node, bypass: Bypass, inputs: Mapping[str, Input], types: Mapping[str, str]) -> dict[str, str | None]:
    """Output → the input that flows through to it; None where a constant takes its place."""
    _refuse_unknown_outputs(node, bypass, types)
    if bypass.mute:
        return dict.fromkeys(types)
    if bypass.pass_through or bypass.defaults:
        return {output: _explicit_route(node, bypass, output, inputs, types[output]) for output in types}
    # A port that takes many has no single value to hand on.
    unused = [port for port in inputs.values() if not port.multi]
    routes: dict[str, str | None] = {}
    for output, wanted in types.items():
        chosen = next((port for port in unused if port.type == wanted), None)
        routes[output] = chosen.name if chosen else None
        if chosen:
            unused.remove(chosen)
    return routes


def _refuse_unknown_outputs(node: Node, bypass: Bypass, types: Mapping[str, str]) -> None:
    named = dict.fromkeys((*bypass.pass_through, *bypass.defaults))
    problems = [
        f"bypass names the unknown output {one!r}{did_you_mean(one, types)}" for one in named if one not in types
    ]
    if problems:
        raise InvalidGraph(problems, where=node.id)


def _explicit_route(node: Node, bypass: Bypass, output: str, inputs: Mapping[str, Input], wanted: str) -> str | None:
    """The input a rule passes to this output, after checking that it exists and has the output's type."""
    if output not in bypass.pass_through:
        return None
    name = bypass.pass_through[output]
    if name not in inputs:
        raise InvalidGraph([f"bypass passes the unknown input {name!r}{did_you_mean(name, inputs)}"], where=node.id)
    if inputs[name].type != wanted:
        raise InvalidGraph([f"bypass cannot pass {name} ({inputs[name].type}) as {output} ({wanted})"], where=node.id)
    if inputs[name].multi:
        raise InvalidGraph([f"bypass cannot pass {name}, which takes many, as the one {output}"], where=node.id)
    return name


def _constant(node: Node, bypass: Bypass, output: str, entrance: Input | None, wanted: str) -> Payload:
    """What a consumer reads when no connection flows through to it."""
    if bypass.mute:
        return None
    if entrance is not None and entrance.name in node.presets:
        return node.presets[entrance.name]
    if output in bypass.defaults:
        return bypass.defaults[output]
    if entrance is not None and entrance.default is not None:
        return entrance.default
    return EMPTY_VALUES.get(wanted)
