"""Clusters: which class of machine runs a node, and in which stage.

Painting: an explicit colour wins; else a node takes the union of its feeders' colours; with no feeder it is
`default`. Levels: a node is one level above a feeder of another colour, on the level of a feeder of its own. So
gpu → cpu → gpu becomes three stages, and no cluster ever waits for itself.
"""

from __future__ import annotations

from collections.abc import Mapping

from quincunx_orchestrator.core.graph import Graph

DEFAULT_COLOUR = "default"


def paint(
    graph: Graph,
    order: tuple[str, ...],
    explicit: Mapping[str, str],
    merge_groups: Mapping[str, tuple[str, ...]] | None = None,
) -> dict[str, str]:
    """Return the colour of every node. `merge_groups` renames the named colours into one before grouping.

    A union is a colour too, named `a+b` with its parts sorted, and a group may name it.
    """
    merged = {colour: group for group, colours in (merge_groups or {}).items() for colour in colours}
    colours: dict[str, frozenset[str]] = {}
    for name in order:
        if name in explicit:
            own = frozenset({explicit[name]})
        else:
            inherited = (colour for feeder in graph.feeders(name) for colour in colours[feeder])
            own = frozenset(inherited) or frozenset({DEFAULT_COLOUR})
        colours[name] = frozenset(merged.get(colour, colour) for colour in own)
    painted = {name: "+".join(sorted(own)) for name, own in colours.items()}
    return {name: merged.get(colour, colour) for name, colour in painted.items()}


def levels_of(graph: Graph, order: tuple[str, ...], colours: Mapping[str, str]) -> dict[str, int]:
    """Return the level of every node: max over its feeders of their level, plus one where the colour changes."""
    levels: dict[str, int] = {}
    for name in order:
        steps = (levels[feeder] + (colours[feeder] != colours[name]) for feeder in graph.feeders(name))
        levels[name] = max(steps, default=0)
    return levels
