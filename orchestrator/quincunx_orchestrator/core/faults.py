"""Everything that is wrong with a segment, told at once: options, then missing inputs, then cycles."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from quincunx_orchestrator.core.graph import Graph
from quincunx_orchestrator.core.nesting import Inlined, inline
from quincunx_orchestrator.core.segment import Segment
from quincunx_orchestrator.core.validation import check_edges, check_steps, topological_order
from quincunx_shared.errors import CompileError, MissingInputs, SeveralFaults
from quincunx_shared.manifest import Manifest
from quincunx_shared.names import PortKey


def fault_of(segment: Segment, manifests: Mapping[str, Manifest], first: CompileError) -> CompileError:
    """Return all that keeps a segment from being compiled as one error; `first` is what the compiler met."""
    try:
        inlined = inline(segment.effective.graph)
    except CompileError:
        return first
    graph = inlined.graph
    checks: tuple[Callable[[], None], ...] = (
        lambda: check_steps(graph, manifests),
        lambda: check_edges(graph),
        lambda: _check_inputs(graph, manifests, _given(segment, inlined)),
        lambda: _check_order(graph),
    )
    faults = [fault for fault in map(_attempt, checks) if fault is not None]
    return SeveralFaults(faults) if len(faults) > 1 else first


def _attempt(check: Callable[[], None]) -> CompileError | None:
    try:
        check()
    except CompileError as fault:
        return fault
    return None


def _check_order(graph: Graph) -> None:
    if all(edge.source.node in graph.nodes for edge in graph.edges):
        topological_order(graph)


def _check_inputs(graph: Graph, manifests: Mapping[str, Manifest], given: frozenset[PortKey]) -> None:
    """Refuse required ports that have neither connection nor preset nor a value from outside."""
    missing: dict[str, list[str]] = {}
    for node in graph.nodes.values():
        if node.bypass is not None or node.step not in manifests:
            continue
        fed = {name for name in node.inputs if PortKey(node.id, name) in graph.producers}
        for port in manifests[node.step].inputs:
            supplied = port.name in fed or port.name in node.presets or PortKey(node.id, port.name) in given
            if port.required and not port.multi and not supplied:
                missing.setdefault(node.id, []).append(port.name)
    if missing:
        raise MissingInputs(missing)


def _given(segment: Segment, inlined: Inlined) -> frozenset[PortKey]:
    keys = (*segment.effective.inputs, *segment.links)
    return frozenset(one for key in keys for one in inlined.inputs.get(key, (key,)))
