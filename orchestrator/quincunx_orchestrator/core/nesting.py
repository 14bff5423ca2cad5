"""Nested graphs: a graph used as a node is inlined before anything else happens.

Everything that holds for a flat graph (painting, levels, signatures) therefore holds inside a nested one, and a
nested graph and the same nodes drawn by hand are one computation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from quincunx_orchestrator.core.graph import Edge, Graph, Nested, Node
from quincunx_shared.errors import InvalidGraph, RecursiveNesting
from quincunx_shared.hints import did_you_mean
from quincunx_shared.names import PortKey


@dataclass(frozen=True)
class Inlined:
    """A flat graph, and where the ports of the nodes that went away are now."""

    graph: Graph
    inputs: Mapping[PortKey, tuple[PortKey, ...]] = field(default_factory=dict)
    outputs: Mapping[PortKey, PortKey] = field(default_factory=dict)


def inline(graph: Graph) -> Inlined:
    """Replace every nested graph by its nodes with ids `outer/inner`, down to the last level.

    Errors inside carry the path; a graph that contains itself is an error.
    """
    refuse_self_nesting(graph)
    return _inline(graph, ())


def refuse_self_nesting(graph: Graph, path: tuple[str, ...] = (), above: tuple[Graph, ...] = ()) -> None:
    """Raise `RecursiveNesting` if a graph stands somewhere inside itself, by identity: it has no digest then."""
    for node in graph.nodes.values():
        if node.nested is not None:
            here = (*path, node.id)
            if node.nested.graph is graph or any(one is node.nested.graph for one in above):
                raise RecursiveNesting(here)
            refuse_self_nesting(node.nested.graph, here, (*above, graph))


def _inline(graph: Graph, path: tuple[str, ...]) -> Inlined:
    flat = Inlined(graph)
    for node in graph.nodes.values():
        if node.nested is not None:
            here = (*path, node.id)
            child = _Child(node.nested, _inline(node.nested.graph, here), "/".join(here))
            child.check(node)
            child.refuse_taken_ids(node, graph)
            flat = _splice(flat, node, child)
    return flat


@dataclass(frozen=True)
class _Child:
    """A nested graph with its inside already flat."""

    nested: Nested
    flat: Inlined
    where: str

    def check(self, node: Node) -> None:
        """Refuse ports of the outer node that lead nowhere, and a bypass, which needs the types of one step."""
        problems = [
            f"the nested graph has no open input {name!r}" for name in node.inputs if not self.inputs_named(name)
        ]
        outputs = self.outputs()
        problems += [self._absent(name, outputs) for name in node.outputs if name not in outputs]
        named = [*self.nested.output_map.values()]
        problems += [f"output_map names {name!r} twice" for name in dict.fromkeys(named) if named.count(name) > 1]
        if node.bypass is not None:
            problems.append("a nested graph cannot be bypassed as a whole: bypass the nodes in it")
        if problems:
            raise InvalidGraph(problems, where=self.where)

    def refuse_taken_ids(self, node: Node, outer: Graph) -> None:
        """Refuse an inlined id that a node beside the outer one has: one of the two would vanish."""
        inlined = [f"{node.id}/{name}" for name in self.flat.graph.nodes]
        taken = [f"{name!r} is a node of its own and one of {node.id!r}" for name in inlined if name in outer.nodes]
        if taken:
            raise InvalidGraph(taken, where=self.where)

    def inputs_named(self, name: str) -> tuple[PortKey, ...]:
        """The child ports a parent input feeds: the mapped one, else every open port of the same name."""
        outer = self.nested.graph
        if name not in self.nested.input_map:
            taken = {*outer.producers, *self.nested.input_map.values()}
            keys = (PortKey(inner.id, name) for inner in outer.nodes.values() if name in inner.inputs)
            found = tuple(key for key in keys if key not in taken)
        else:
            key = self.nested.input_map[name]
            if key.node not in outer.nodes or key.port not in outer.nodes[key.node].inputs:
                raise InvalidGraph([f"input_map names {key}, which is no input of the nested graph"], where=self.where)
            found = (key,)
        return tuple(one for key in found for one in self.flat.inputs.get(key, (key,)))

    def outputs(self) -> dict[str, PortKey]:
        """Parent output → the child port it comes from: the mapped one, else the unconsumed port of the same name.

        A name that several ports have is left out: it is wrong only where somebody asks for it.
        """
        outer = self.nested.graph
        found = {name: keys[0] for name, keys in self._unmapped().items() if len(keys) == 1}
        for key, name in self.nested.output_map.items():
            if key.node not in outer.nodes or key.port not in outer.nodes[key.node].outputs:
                message = f"output_map names {key}, which is no output of the nested graph"
                raise InvalidGraph([message], where=self.where)
            found[name] = key
        return {name: self.flat.outputs.get(key, key) for name, key in found.items()}

    def _unmapped(self) -> dict[str, list[PortKey]]:
        """The unconsumed ports that no map names, by name."""
        outer = self.nested.graph
        found: dict[str, list[PortKey]] = {}
        for key in (PortKey(inner.id, port) for inner in outer.nodes.values() for port in inner.outputs):
            if key not in outer.consumers and key not in self.nested.output_map:
                found.setdefault(key.port, []).append(key)
        return found

    def _absent(self, name: str, outputs: Mapping[str, PortKey]) -> str:
        several = self._unmapped().get(name, ())
        if several:
            return f"output {name!r} may be {' or '.join(map(str, several))}; name one in output_map"
        return f"the nested graph has no output {name!r}{did_you_mean(name, outputs)}"


def _splice(flat: Inlined, node: Node, child: _Child) -> Inlined:
    """Put the child's nodes in the place of the node that held them."""
    names = dict.fromkeys((*node.inputs, *child.nested.input_map))
    inputs = {name: tuple(_under(node.id, key) for key in child.inputs_named(name)) for name in names}
    outputs = {name: _under(node.id, key) for name, key in child.outputs().items()}
    nodes: dict[str, Node] = {}
    for name, one in flat.graph.nodes.items():
        if name == node.id:
            nodes.update({inner.id: inner for inner in _inner_nodes(node, child, inputs)})
        else:
            nodes[name] = _follow_order(one, node.id, outputs)
    edges = {Edge(_under(node.id, edge.source), _under(node.id, edge.target)) for edge in child.flat.graph.edges}
    for edge in flat.graph.edges:
        edges.update(_reconnected(edge, node.id, inputs, outputs, child.where))
    deeper_inputs = {
        _under(node.id, key): tuple(_under(node.id, one) for one in keys) for key, keys in child.flat.inputs.items()
    }
    deeper_outputs = {_under(node.id, key): _under(node.id, one) for key, one in child.flat.outputs.items()}
    return Inlined(
        Graph(nodes, dict.fromkeys(sorted(edges))),
        {**flat.inputs, **deeper_inputs, **{PortKey(node.id, name): keys for name, keys in inputs.items()}},
        {**flat.outputs, **deeper_outputs, **{PortKey(node.id, name): key for name, key in outputs.items()}},
    )


def _inner_nodes(node: Node, child: _Child, inputs: Mapping[str, tuple[PortKey, ...]]) -> list[Node]:
    """The child's nodes under their new ids; presets of the outer node stand on the ports they reach."""
    presets = {key: node.presets[name] for name, keys in inputs.items() if name in node.presets for key in keys}
    found = []
    for inner in child.flat.graph.nodes.values():
        name = f"{node.id}/{inner.id}"
        own = {port: presets[PortKey(name, port)] for port in inner.inputs if PortKey(name, port) in presets}
        order = {port: tuple(_under(node.id, key) for key in keys) for port, keys in inner.order.items()}
        found.append(replace(inner, id=name, order=order, presets={**inner.presets, **own}))
    return found


def _reconnected(
    edge: Edge,
    outer: str,
    inputs: Mapping[str, tuple[PortKey, ...]],
    outputs: Mapping[str, PortKey],
    where: str,
) -> list[Edge]:
    """An edge of the parent graph, with its ends moved to the child's ports where it touched the outer node."""
    if edge.target.node == outer:
        if edge.target.port not in inputs:
            hint = did_you_mean(edge.target.port, inputs)
            raise InvalidGraph([f"the nested graph has no input {edge.target.port!r}{hint}"], where=where)
        return [Edge(edge.source, key) for key in inputs[edge.target.port]]
    if edge.source.node != outer:
        return [edge]
    if edge.source.port not in outputs:
        hint = did_you_mean(edge.source.port, outputs)
        raise InvalidGraph([f"the nested graph has no output {edge.source.port!r}{hint}"], where=where)
    return [Edge(outputs[edge.source.port], edge.target)]


def _follow_order(node: Node, outer: str, outputs: Mapping[str, PortKey]) -> Node:
    """Let a declared order of connections point to where the outer node's outputs are now."""
    if not node.order:
        return node
    order = {
        port: tuple(outputs.get(key.port, key) if key.node == outer else key for key in keys)
        for port, keys in node.order.items()
    }
    return replace(node, order=order)


def _under(outer: str, key: PortKey) -> PortKey:
    return PortKey(f"{outer}/{key.node}", key.port)
