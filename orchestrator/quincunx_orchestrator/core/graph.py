"""A graph of steps as pure data.

Nodes and edges are kept in the order of construction, which only breaks ties in the topological order. Equality
and digest do not depend on it: two graphs with the same nodes and edges are the same graph.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from quincunx_shared.canonical import Json, canonical_bytes, digest_of
from quincunx_shared.errors import InvalidGraph
from quincunx_shared.manifest import Manifest
from quincunx_shared.names import Digest, PortKey
from quincunx_shared.payload import Payload, encode


@dataclass(frozen=True)
class Bypass:
    """How a node is taken out of the flow: `mute`, or hand chosen inputs through to outputs."""

    mute: bool = False
    pass_through: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Payload] = field(default_factory=dict)


@dataclass(frozen=True)
class Nested:
    """A graph used as a node: parent input → child inputs, child output → parent output.

    Names are `{parent: (child node, child port)}`; what is not mapped passes under its own name to the child port
    that is open (inputs) or unconsumed (outputs) under that name.
    """

    graph: Graph
    input_map: Mapping[str, PortKey] = field(default_factory=dict)
    output_map: Mapping[PortKey, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Node:
    """One use of a step. `presets` stand in for inputs without a connection; `extra` is for editors only.

    Nodes are equal when their canonical text is: 1, 1.0 and True are three options, and arrays compare as a whole.

    `order` fixes, for a multi port, the order of its connections; without it they come in the order of their
    addresses, so that the order of construction never matters.
    """

    id: str
    step: str = ""
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    presets: Mapping[str, Payload] = field(default_factory=dict)
    multi: frozenset[str] = frozenset()
    order: Mapping[str, tuple[PortKey, ...]] = field(default_factory=dict)
    bypass: Bypass | None = None
    nested: Nested | None = None
    extra: Mapping[str, Json] = field(default_factory=dict)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Node) and self._content == other._content

    def __hash__(self) -> int:
        return hash(self._content)

    @cached_property
    def _content(self) -> bytes:
        return canonical_bytes([self.identity(), dict(self.extra)])

    def identity(self) -> Json:
        """Return everything about the node that can change what is computed, as canonical JSON."""
        return {
            "id": self.id,
            "step": self.step,
            "inputs": list(self.inputs),
            "outputs": list(self.outputs),
            "options": dict(self.options),
            "presets": {name: encode(value).ref.identity() for name, value in self.presets.items()},
            "multi": [*sorted(self.multi)],
            "order": {port: [[key.node, key.port] for key in keys] for port, keys in self.order.items()},
            "bypass": _bypass_identity(self.bypass),
            "nested": _nested_identity(self.nested),
        }


@dataclass(frozen=True, slots=True, order=True)
class Edge:
    """A connection from an output port to an input port."""

    source: PortKey
    target: PortKey

    def __str__(self) -> str:
        return f"{self.source} → {self.target}"


@dataclass(frozen=True)
class Graph:
    """Nodes by id, and a set of edges. Every change returns a new graph."""

    nodes: Mapping[str, Node] = field(default_factory=dict)
    edges: Mapping[Edge, None] = field(default_factory=dict)

    @classmethod
    def of(cls, nodes: Iterable[Node], edges: Iterable[Edge] = ()) -> Graph:
        """Build a graph from nodes and edges; a later node replaces an earlier one of the same id."""
        graph = cls({node.id: node for node in nodes}, dict.fromkeys(edges))
        for edge in graph.edges:
            _refuse_loop(edge)
        return graph

    def __hash__(self) -> int:
        return hash(self.digest)

    @cached_property
    def digest(self) -> Digest:
        """The graph by content, whatever the order in which it was built."""
        nodes: list[Json] = [self.nodes[name].identity() for name in sorted(self.nodes)]
        edges: list[Json] = [
            [edge.source.node, edge.source.port, edge.target.node, edge.target.port] for edge in sorted(self.edges)
        ]
        return digest_of(["graph", nodes, edges])

    def add_node(self, node: Node) -> Graph:
        """Add a node, or replace the one with the same id in its place."""
        return replace(self, nodes={**self.nodes, node.id: node})

    def update_node(self, node: Node) -> Graph:
        """Put a new value in the place of a node that exists; an unknown id changes nothing."""
        return self.add_node(node) if node.id in self.nodes else self

    def remove_node(self, node_id: str) -> Graph:
        """Remove a node and its edges; an unknown id changes nothing."""
        if node_id not in self.nodes:
            return self
        nodes = {name: node for name, node in self.nodes.items() if name != node_id}
        edges = {edge: None for edge in self.edges if node_id not in (edge.source.node, edge.target.node)}
        return Graph(nodes, edges)

    def add_edge(self, edge: Edge) -> Graph:
        """Add an edge; one that exists is one edge still. A node cannot feed itself."""
        _refuse_loop(edge)
        return replace(self, edges={**self.edges, edge: None})

    def remove_edge(self, edge: Edge) -> Graph:
        """Remove an edge; an unknown one changes nothing."""
        return replace(self, edges={one: None for one in self.edges if one != edge})

    @cached_property
    def producers(self) -> Mapping[PortKey, tuple[PortKey, ...]]:
        """Input port → the output ports that feed it, in the order the step will see them."""
        found: dict[PortKey, list[PortKey]] = {}
        for edge in sorted(self.edges):
            found.setdefault(edge.target, []).append(edge.source)
        return {target: self._in_declared_order(target, sources) for target, sources in found.items()}

    def _in_declared_order(self, target: PortKey, sources: list[PortKey]) -> tuple[PortKey, ...]:
        node = self.nodes.get(target.node)
        declared = node.order.get(target.port, ()) if node else ()
        rank = {key: place for place, key in enumerate(declared)}
        return tuple(sorted(sources, key=lambda key: (rank.get(key, len(rank)), key)))

    @cached_property
    def consumers(self) -> Mapping[PortKey, tuple[PortKey, ...]]:
        """Output port → the input ports it feeds, sorted."""
        found: dict[PortKey, list[PortKey]] = {}
        for edge in sorted(self.edges):
            found.setdefault(edge.source, []).append(edge.target)
        return {source: tuple(targets) for source, targets in found.items()}

    def feeders(self, node_id: str) -> tuple[str, ...]:
        """The nodes that feed a node, without repetition."""
        return self._feeders[node_id]

    @cached_property
    def _feeders(self) -> Mapping[str, tuple[str, ...]]:
        return {name: tuple(dict.fromkeys(self._sources_of(node))) for name, node in self.nodes.items()}

    def _sources_of(self, node: Node) -> Iterator[str]:
        for port in node.inputs:
            for key in self.producers.get(PortKey(node.id, port), ()):
                yield key.node


def node_of(manifest: Manifest, node_id: str = "", *, options: Mapping[str, Any] | None = None) -> Node:
    """Return a node that uses a step as its manifest declares it; the id defaults to the step's name."""
    return Node(
        id=node_id or manifest.name,
        step=manifest.name,
        inputs=tuple(port.name for port in manifest.inputs),
        outputs=tuple(port.name for port in manifest.outputs),
        options=dict(options or {}),
        multi=frozenset(port.name for port in manifest.inputs if port.multi),
    )


def connect(source: str, target: str) -> Edge:
    """Return the edge `node.port → node.port` from two dotted texts, for hand-written graphs.

    Node ids may contain dots; port names may not.
    """
    return Edge(_port_key(source), _port_key(target))


def _port_key(text: str) -> PortKey:
    node, _, port = text.rpartition(".")
    if not node or not port:
        raise InvalidGraph([f"{text!r} is not an address"], where="write `node.port`")
    return PortKey(node, port)


def _refuse_loop(edge: Edge) -> None:
    if edge.source.node == edge.target.node:
        raise InvalidGraph([f"{edge.source.node} cannot feed itself"], where=str(edge))


def _bypass_identity(bypass: Bypass | None) -> Json:
    if bypass is None:
        return None
    defaults: dict[str, Json] = {name: encode(value).ref.identity() for name, value in bypass.defaults.items()}
    return {"mute": bypass.mute, "pass_through": dict(bypass.pass_through), "defaults": defaults}


def _nested_identity(nested: Nested | None) -> Json:
    if nested is None:
        return None
    inputs: list[Json] = [[name, key.node, key.port] for name, key in sorted(nested.input_map.items())]
    outputs: list[Json] = [[key.node, key.port, name] for key, name in sorted(nested.output_map.items())]
    return {"graph": nested.graph.digest, "inputs": inputs, "outputs": outputs}
