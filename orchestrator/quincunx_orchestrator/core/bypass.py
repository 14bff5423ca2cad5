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
from quincunx_shared.manifest import Manifest
from quincunx_shared.names import PortKey
from quincunx_shared.payload import Payload

#: What flows where nothing flows, by type; None for every other type.
EMPTY_VALUES: Mapping[str, Payload] = {
    "audio": np.zeros(0, dtype=np.float32),
    "curve": np.zeros(0, dtype=np.float32),
    "number": 0.0,
    "text": "",
}


@dataclass(frozen=True)
class Rewired:
    """A graph without bypassed nodes.

    `constants` stand on inputs that lost their producer; `moved` says which input of a bypassed node an input now
    reads in its place, for values that come from outside the graph.
    """

    graph: Graph
    constants: Mapping[PortKey, Payload] = field(default_factory=dict)
    moved: Mapping[PortKey, PortKey] = field(default_factory=dict)


def take_out_bypassed(graph: Graph, manifests: Mapping[str, Manifest]) -> Rewired:
    """Rewire around every bypassed node."""
    constants: dict[PortKey, Payload] = {}
    moved: dict[PortKey, PortKey] = {}
    for name in tuple(graph.nodes):
        node = graph.nodes[name]
        if node.bypass is None:
            continue
        routes = _routes(node, node.bypass, manifests[node.step])
        remaining = graph.remove_node(name)
        for output, entrance in routes.items():
            for target in graph.consumers.get(PortKey(name, output), ()):
                sources = graph.producers.get(PortKey(name, entrance), ()) if entrance else ()
                for source in sources:
                    remaining = remaining.add_edge(Edge(source, target))
                if not sources:
                    constants[target] = _constant(node, node.bypass, output, entrance, manifests[node.step])
                    if entrance:
                        moved[target] = PortKey(name, entrance)
        graph = remaining
    return Rewired(graph, constants, moved)


def _routes(node: Node, bypass: Bypass, manifest: Manifest) -> dict[str, str | None]:
    """Output → the input that flows through to it; None where a constant takes its place."""
    if bypass.mute:
        return {port.name: None for port in manifest.outputs}
    if bypass.pass_through or bypass.defaults:
        return {port.name: _explicit_route(node, bypass, port.name, manifest) for port in manifest.outputs}
    unused = list(manifest.inputs)
    routes: dict[str, str | None] = {}
    for output in manifest.outputs:
        chosen = next((port for port in unused if port.type == output.type), None)
        routes[output.name] = chosen.name if chosen else None
        if chosen:
            unused.remove(chosen)
    return routes


def _explicit_route(node: Node, bypass: Bypass, output: str, manifest: Manifest) -> str | None:
    """The input a rule passes to this output, after checking that it exists and has the output's type."""
    if output not in bypass.pass_through:
        return None
    name = bypass.pass_through[output]
    inputs = {port.name: port.type for port in manifest.inputs}
    types = {port.name: port.type for port in manifest.outputs}
    if name not in inputs:
        raise InvalidGraph([f"bypass passes the unknown input {name!r}{did_you_mean(name, inputs)}"], where=node.id)
    if inputs[name] != types[output]:
        message = f"bypass cannot pass {name} ({inputs[name]}) as {output} ({types[output]})"
        raise InvalidGraph([message], where=node.id)
    return name


def _constant(node: Node, bypass: Bypass, output: str, entrance: str | None, manifest: Manifest) -> Payload:
    """What a consumer reads when no connection flows through to it."""
    if bypass.mute:
        return None
    if entrance is not None and entrance in node.presets:
        return node.presets[entrance]
    if output in bypass.defaults:
        return bypass.defaults[output]
    types = {port.name: port.type for port in manifest.outputs}
    return EMPTY_VALUES.get(types[output])
