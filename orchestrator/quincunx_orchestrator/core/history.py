"""Edits as data, and the history that holds them.

`fold(base, history)` gives the effective state; the base is never touched. A history is a pair of linked stacks:
push, undo and redo take constant time and copy nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias, assert_never

from quincunx_orchestrator.core.graph import Edge, Graph, Node
from quincunx_shared.intervention import Intervention, InterventionKind, in_order_of_application
from quincunx_shared.names import PortKey
from quincunx_shared.payload import Encoded


@dataclass(frozen=True)
class AddNode:
    """Add a node, or replace the one with its id."""

    node: Node


@dataclass(frozen=True)
class UpdateNode:
    """Give a node that exists a new value."""

    node: Node


@dataclass(frozen=True)
class RemoveNode:
    """Remove a node with its edges."""

    node_id: str


@dataclass(frozen=True)
class AddEdge:
    """Connect two ports."""

    edge: Edge


@dataclass(frozen=True)
class RemoveEdge:
    """Disconnect two ports."""

    edge: Edge


@dataclass(frozen=True)
class SetInput:
    """Fill an open input port."""

    key: PortKey
    value: Encoded


@dataclass(frozen=True)
class RemoveInput:
    """Take a filled input away again."""

    key: PortKey


@dataclass(frozen=True)
class Intervene:
    """Lay an intervention on an output; it replaces an earlier one of the same kind and scope."""

    intervention: Intervention
    #: The payloads the intervention refers to, so that they can be stored before anything needs them.
    payloads: tuple[Encoded, ...] = ()


@dataclass(frozen=True)
class RemoveInterventions:
    """Drop all interventions on a port; a filled input stays."""

    key: PortKey


@dataclass(frozen=True)
class Batch:
    """Several operations as one undo unit, applied in this order."""

    operations: tuple[Operation, ...]


Operation: TypeAlias = (
    AddNode
    | UpdateNode
    | RemoveNode
    | AddEdge
    | RemoveEdge
    | SetInput
    | RemoveInput
    | Intervene
    | RemoveInterventions
    | Batch
)


def changes_topology(operation: Operation) -> bool:
    """Whether recipes may have to be compiled again after the operation."""
    if isinstance(operation, Batch):
        return any(changes_topology(one) for one in operation.operations)
    return isinstance(operation, AddNode | UpdateNode | RemoveNode | AddEdge | RemoveEdge)


@dataclass(frozen=True, slots=True)
class _Link:
    """One cell of a linked stack."""

    operation: Operation
    below: _Link | None


@dataclass(frozen=True, slots=True)
class History:
    """The operations done, and those undone that can be done again."""

    _done: _Link | None = None
    _undone: _Link | None = None

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

    @property
    def is_empty(self) -> bool:
        """Whether nothing is in effect."""
        return self._done is None


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
    payloads: tuple[Encoded, ...] = ()

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


def fold(base: Graph, history: History, inputs: Mapping[PortKey, Encoded] | None = None) -> Effective:
    """Return the effective graph, inputs and interventions.

    A later operation of the same kind on the same port wins. Inputs and interventions of a removed node sleep:
    they are left out here and are back when the node is.
    """
    state = _State(base, dict(inputs or {}), {})
    for operation in history.operations():
        state = _apply(state, operation)
    nodes = state.graph.nodes
    awake = [one for one in state.interventions.values() if _is_awake(one.intervention, state.graph)]
    return Effective(
        graph=state.graph,
        inputs={key: value for key, value in state.inputs.items() if key.node in nodes},
        interventions=in_order_of_application(one.intervention for one in awake),
        payloads=tuple(payload for one in awake for payload in one.payloads),
    )


def _is_awake(intervention: Intervention, graph: Graph) -> bool:
    scope = intervention.scope
    return intervention.target.node in graph.nodes and (scope is None or scope.node in graph.nodes)


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
