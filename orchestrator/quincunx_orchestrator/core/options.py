"""Changing many steps at once: one sample rate, one seed, one number of steps for a whole graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from quincunx_orchestrator.core.graph import Graph, Node
from quincunx_shared.manifest import Manifest

#: Which steps: those of one name, or those a predicate picks.
Selector: TypeAlias = str | Callable[[Node], bool]


def everything(node: Node) -> bool:  # noqa: ARG001
    """The selector that picks every step."""
    return True


def that_declare(option: str, manifests: Mapping[str, Manifest]) -> Callable[[Node], bool]:
    """Return the selector of all steps whose manifest has this option."""
    names = {name for name, manifest in manifests.items() if any(one.name == option for one in manifest.options)}
    return lambda node: node.step in names


def walk(graph: Graph, change: Callable[[Node], Node]) -> Graph:
    """Return the graph with every step changed, those in nested graphs too. Ids and edges stay."""
    nodes = {name: _walked(node, change) for name, node in graph.nodes.items()}
    return replace(graph, nodes=nodes)


def assign_options(graph: Graph, selector: Selector, options: Mapping[str, Any]) -> Graph:
    """Return the graph with these options set on the selected steps; they win over those that were there."""

    def assigned(node: Node) -> Node:
        chosen = node.step == selector if isinstance(selector, str) else selector(node)
        return replace(node, options={**node.options, **options}) if chosen else node

    return walk(graph, assigned)


def _walked(node: Node, change: Callable[[Node], Node]) -> Node:
    if node.nested is None:
        return replace(change(node), id=node.id)
    return replace(node, nested=replace(node.nested, graph=walk(node.nested.graph, change)))
