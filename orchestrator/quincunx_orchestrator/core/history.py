"""The history of edits, and what it makes of a base graph.

`fold(base, history)` gives the effective state; the base is never touched. A history is a pair of linked stacks:
push, undo and redo take constant time and copy nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias, assert_never

from quincunx_orchestrator.core.graph import Graph
from quincunx_orchestrator.core.operations import (
    AddEdge,
    AddNode,
    Batch,
    Intervene,
    Operation,
    RemoveEdge,
    RemoveInput,
    RemoveInterventions,
    RemoveNode,
    SetInput,
    UpdateNode,
    added_nodes,
    changes_topology,
)
from quincunx_shared.intervention import Intervention, InterventionKind, in_order_of_application
from quincunx_shared.names import PortKey
from quincunx_shared.payload import Encoded

__all__ = [
    "AddEdge",
    "AddNode",
    "Batch",
    "Conflict",
    "Effective",
    "History",
    "Intervene",
    "Operation",
    "RemoveEdge",
    "RemoveInput",
    "RemoveInterventions",
    "RemoveNode",
    "SetInput",
    "UpdateNode",
    "changes_topology",
    "fold",
]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Link:
    """One cell of a linked stack. Histories compare without it: following the links by recursion would end one day."""

    operation: Operation
    below: _Link | None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class History:
    """The operations done, and those undone that can be done again."""

    _done: _Link | None = None
    _undone: _Link | None = None

    #: Operations hold payloads, which have no hash.
    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, History):
            return NotImplemented
        return [*_walk(self._done)] == [*_walk(other._done)] and [*_walk(self._undone)] == [*_walk(other._undone)]

    def __repr__(self) -> str:
        return f"History(done={len([*_walk(self._done)])}, undone={len([*_walk(self._undone)])})"

    def push(self, operation: Operation) -> History:
        """Do an operation. What was undone before is gone."""
        return History(_Link(operation, self._done), None)

    def undo(self) -> tuple[History, Operation | None]:
        """Take the last operation back and return it; with nothing to undo, return the same history and None."""
        if self._done is None:
            return self, None
        last = self._done
        return History(last.below, _Link(last.operation, self._undone)), last.operation

    def redo(self) -> tuple[History, Operation | None]:
        """Do the last undone operation again and return it; with nothing to redo, the same history and None."""
        if self._undone is None:
            return self, None
        last = self._undone
        return History(_Link(last.operation, self._done), last.below), last.operation

    def operations(self) -> tuple[Operation, ...]:
        """The operations in effect, oldest first."""
        return tuple(_walk(self._done))[::-1]


@dataclass(frozen=True)
class Conflict:
    """A port-wide and an edge-wide intervention of one kind meet on one edge; the edge's has the last word."""

    target: PortKey
    consumer: PortKey
    kind: InterventionKind


@dataclass(frozen=True, slots=True)
class Effective:
    """What a history makes of a base graph."""

    graph: Graph
    inputs: Mapping[PortKey, Encoded] = field(default_factory=dict)
    interventions: tuple[Intervention, ...] = ()
    #: The edits that laid the interventions, with the payloads these refer to.
    laid: tuple[Intervene, ...] = ()
    #: What was given to nodes that never were: a slip of the pen, not sleep.
    strangers: tuple[PortKey, ...] = ()

    @property
    def payloads(self) -> tuple[Encoded, ...]:
        """What the interventions refer to."""
        return tuple(payload for one in self.laid for payload in one.payloads)

    def conflicts(self) -> tuple[Conflict, ...]:
        """Every edge on which a port-wide and an edge-wide intervention of the same kind meet."""
        wide = {(one.target, one.kind, one.operator) for one in self.interventions if one.scope is None}
        return tuple(
            Conflict(one.target, one.scope, one.kind)
            for one in self.interventions
            if one.scope is not None and (one.target, one.kind, one.operator) in wide
        )


_InterventionKey: TypeAlias = tuple[PortKey, InterventionKind, str, PortKey | None]


@dataclass(frozen=True)
class _State:
    graph: Graph
    inputs: Mapping[PortKey, Encoded]
    interventions: Mapping[_InterventionKey, Intervene]


def fold(
    base: Graph,
    history: History,
    inputs: Mapping[PortKey, Encoded] | None = None,
    laid: Iterable[Intervene] = (),
) -> Effective:
    """Return the effective graph, inputs and interventions; `inputs` and `laid` are those of the base.

    A later operation of the same kind on the same port wins. Inputs and interventions of a removed node sleep:
    they are left out here and are back when the node is. `outer/inner` reaches into a nested graph.
    """
    state = _State(base, dict(inputs or {}), {_key_of(one.intervention): one for one in laid})
    operations = history.operations()
    for operation in operations:
        state = _apply(state, operation)
    graph = state.graph
    awake = [one for one in state.interventions.values() if _is_awake(one.intervention, graph)]
    given = (*state.inputs, *(key[0] for key in state.interventions))
    return Effective(
        graph=graph,
        inputs={key: value for key, value in state.inputs.items() if _is_there(key.node, graph)},
        interventions=in_order_of_application(one.intervention for one in awake),
        laid=tuple(awake),
        strangers=_strangers(given, base, operations),
    )


def _is_awake(intervention: Intervention, graph: Graph) -> bool:
    scope = intervention.scope
    return _is_there(intervention.target.node, graph) and (scope is None or _is_there(scope.node, graph))


def _is_there(name: str, graph: Graph) -> bool:
    """Whether the node exists, at the top or inside nested graphs."""
    if name in graph.nodes:
        return True
    outer, _, inner = name.partition("/")
    node = graph.nodes.get(outer)
    return node is not None and node.nested is not None and _is_there(inner, node.nested.graph)


def _strangers(given: Iterable[PortKey], base: Graph, operations: Iterable[Operation]) -> tuple[PortKey, ...]:
    absent = [key for key in given if key.node not in base.nodes and key.node.split("/")[0] not in base.nodes]
    if not absent:
        return ()
    added = {*added_nodes(operations)}
    return tuple(dict.fromkeys(key for key in absent if not added & {key.node, key.node.split("/")[0]}))


def _apply(state: _State, operation: Operation) -> _State:
    match operation:
        case Batch(operations):
            for one in operations:
                state = _apply(state, one)
            return state
        case SetInput(key, value):
            return replace(state, inputs={**state.inputs, key: value})
        case RemoveInput(key):
            return replace(state, inputs={one: value for one, value in state.inputs.items() if one != key})
        case Intervene(intervention):
            return replace(state, interventions={**state.interventions, _key_of(intervention): operation})
        case RemoveInterventions(key):
            kept = {name: one for name, one in state.interventions.items() if name[0] != key}
            return replace(state, interventions=kept)
        case AddNode() | UpdateNode() | RemoveNode() | AddEdge() | RemoveEdge():
            return replace(state, graph=_rebuild(state.graph, operation))
        case _:
            assert_never(operation)


def _rebuild(graph: Graph, operation: AddNode | UpdateNode | RemoveNode | AddEdge | RemoveEdge) -> Graph:
    match operation:
        case AddNode(node):
            return graph.add_node(node)
        case UpdateNode(node):
            return graph.update_node(node)
        case RemoveNode(node_id):
            return graph.remove_node(node_id)
        case AddEdge(edge):
            return graph.add_edge(edge)
        case RemoveEdge(edge):
            return graph.remove_edge(edge)
        case _:
            assert_never(operation)


def _key_of(intervention: Intervention) -> _InterventionKey:
    return (intervention.target, intervention.kind, intervention.operator, intervention.scope)


def _walk(link: _Link | None) -> Iterator[Operation]:
    while link is not None:
        yield link.operation
        link = link.below
