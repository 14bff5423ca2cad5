"""Whether a graph makes sense: every contradiction is collected before anything is refused."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence

from quincunx_orchestrator.core.graph import Edge, Graph, Node
from quincunx_shared.errors import CyclicGraph, InvalidGraph
from quincunx_shared.hints import did_you_mean
from quincunx_shared.manifest import Manifest
from quincunx_shared.names import PortKey


def validate(graph: Graph) -> None:
    """Refuse orphan edges, unknown ports and double producers, all named at once; then cycles."""
    check_edges(graph)
    topological_order(graph)


def check_edges(graph: Graph) -> None:
    """Refuse orphan edges, unknown ports and double producers, all named at once."""
    problems = [*_edge_problems(graph), *_producer_problems(graph)]
    if problems:
        raise InvalidGraph(problems)


def check_steps(graph: Graph, manifests: Mapping[str, Manifest]) -> None:
    """Refuse unknown steps, and options, presets and ports that the manifests do not allow, all named at once."""
    problems = [problem for node in graph.nodes.values() for problem in _step_problems(node, manifests)]
    if problems:
        raise InvalidGraph(problems)


def topological_order(graph: Graph) -> tuple[str, ...]:
    """Kahn's order; among nodes that are ready together, the one added to the graph first comes first."""
    waiting = {name: len(graph.feeders(name)) for name in graph.nodes}
    followers: dict[str, list[str]] = {name: [] for name in graph.nodes}
    for name in graph.nodes:
        # Nodes are visited in the order they were added, so followers stand in that order too.
        for feeder in graph.feeders(name):
            followers[feeder].append(name)
    ready = deque(name for name, count in waiting.items() if count == 0)
    order: list[str] = []
    while ready:
        order.append(ready.popleft())
        for follower in followers[order[-1]]:
            waiting[follower] -= 1
            if waiting[follower] == 0:
                ready.append(follower)
    if len(order) < len(graph.nodes):
        raise CyclicGraph(_nodes_on_cycles(graph, set(order)))
    return tuple(order)


def _nodes_on_cycles(graph: Graph, sorted_already: set[str]) -> list[str]:
    """The nodes that feed themselves; what only leads from one cycle to another, or hangs behind one, is spared."""
    left = [name for name in graph.nodes if name not in sorted_already]
    return [name for name in left if name in _upstream(graph, name, sorted_already)]


def _upstream(graph: Graph, name: str, without: set[str]) -> set[str]:
    """What feeds a node, directly or not."""
    found: set[str] = set()
    further = [name]
    while further:
        feeders = {feeder for feeder in graph.feeders(further.pop()) if feeder not in without} - found
        found |= feeders
        further.extend(feeders)
    return found


def _edge_problems(graph: Graph) -> Iterator[str]:
    for edge in sorted(graph.edges):
        yield from _end_problems(edge, edge.source, graph, is_source=True)
        yield from _end_problems(edge, edge.target, graph, is_source=False)


def _end_problems(edge: Edge, key: PortKey, graph: Graph, *, is_source: bool) -> Iterator[str]:
    node = graph.nodes.get(key.node)
    if node is None:
        end = "from" if is_source else "to"
        yield f"edge {edge} comes {end} no node: {key.node!r} is not in the graph{did_you_mean(key.node, graph.nodes)}"
        return
    ports, word = (node.outputs, "output") if is_source else (node.inputs, "input")
    if key.port not in ports:
        yield f"edge {edge}: {key.node} has no {word} {key.port!r}{did_you_mean(key.port, ports)}"


def _producer_problems(graph: Graph) -> Iterator[str]:
    for target, sources in graph.producers.items():
        node = graph.nodes.get(target.node)
        if node is not None and len(sources) > 1 and target.port not in node.multi:
            yield f"{target} has {len(sources)} producers: {', '.join(map(str, sources))}"


def _step_problems(node: Node, manifests: Mapping[str, Manifest]) -> Iterator[str]:
    manifest = manifests.get(node.step)
    if manifest is None:
        yield f"{node.id} uses the unknown step {node.step!r}{did_you_mean(node.step, manifests)}"
        return
    yield from map(str, manifest.option_faults(node.options, where=node.id))
    declared = {port.name for port in manifest.inputs}
    for name in node.presets:
        if name not in declared:
            yield f"{node.id} presets the unknown input {name!r}{did_you_mean(name, declared)}"
    yield from _port_problems(node, manifest)


def _port_problems(node: Node, manifest: Manifest) -> Iterator[str]:
    """Inputs go by the manifest's names. Outputs may have names of their own, but go by the manifest's positions."""
    declared = [port.name for port in manifest.inputs]
    if sorted(node.inputs) != sorted(declared):
        yield f"{node.id} has the inputs {_listed(node.inputs)}, {manifest.name} those: {_listed(declared)}"
    multi = {port.name for port in manifest.inputs if port.multi}
    if node.multi != multi:
        yield f"{node.id} takes many at {_listed(sorted(node.multi))}, {manifest.name} at {_listed(sorted(multi))}"
    if len(node.outputs) != len(manifest.outputs) or len(set(node.outputs)) != len(node.outputs):
        outputs = [port.name for port in manifest.outputs]
        yield f"{node.id} has the outputs {_listed(node.outputs)}, {manifest.name} those: {_listed(outputs)}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"
