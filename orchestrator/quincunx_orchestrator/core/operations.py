"""Edits as data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from quincunx_orchestrator.core.graph import Edge, Node
from quincunx_shared.intervention import Intervention
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


def added_nodes(operations: Iterable[Operation]) -> Iterator[str]:
    """The ids of all nodes that the operations add."""
    for operation in operations:
        if isinstance(operation, Batch):
            yield from added_nodes(operation.operations)
        elif isinstance(operation, AddNode):
            yield operation.node.id
