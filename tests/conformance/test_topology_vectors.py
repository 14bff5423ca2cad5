"""The vectors of topology.json: the order of the nodes, and the cycles that leave none."""

from __future__ import annotations

from typing import Any

import pytest
from tests.conformance import vectors
from tests.conformance.vectors import named

from quincunx_orchestrator.core.nesting import inline
from quincunx_orchestrator.core.validation import topological_order, validate
from quincunx_shared.errors import CyclicGraph

VECTORS = vectors.load("topology")


@pytest.mark.parametrize("vector", named(VECTORS, "orders"))
def test_nodes_stand_in_this_order(vector: Any) -> None:
    assert list(topological_order(vectors.graph(vector["graph"]))) == vector["order"]


@pytest.mark.parametrize("vector", named(VECTORS, "orders_after_edits"))
def test_after_edits_nodes_stand_in_this_order(vector: Any) -> None:
    graph = vectors.segment(vector).effective.graph
    assert list(topological_order(inline(graph).graph)) == vector["order"]


@pytest.mark.parametrize("vector", named(VECTORS, "cycles"))
def test_a_cycle_names_its_nodes(vector: Any) -> None:
    with pytest.raises(CyclicGraph) as cycle:
        validate(vectors.graph(vector["graph"]))
    assert list(cycle.value.nodes) == vector["cycle"]
