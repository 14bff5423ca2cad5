"""The vectors of nesting.json: what a nested graph is inlined to, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
from tests.conformance import vectors
from tests.conformance.running import Workplace
from tests.conformance.vectors import named

from quincunx_orchestrator.core.graph import Graph, Nested, Node
from quincunx_orchestrator.core.nesting import inline
from quincunx_shared.errors import RecursiveNesting

VECTORS = vectors.load("nesting")
STEPS = VECTORS["steps"]


@pytest.mark.parametrize("vector", named(VECTORS, "flat"))
def test_a_nested_graph_is_inlined_to_this(vector: Any) -> None:
    flat = inline(vectors.graph(vector["graph"])).graph

    assert list(flat.nodes) == vector["nodes"]
    assert sorted(flat.edges) == sorted(map(vectors.edge, vector["edges"]))
    assert all(flat.nodes[name].presets == presets for name, presets in vector.get("presets", {}).items())
    for name, order in vector.get("order", {}).items():
        assert flat.nodes[name].order == {port: vectors.ports(keys) for port, keys in order.items()}


@pytest.mark.parametrize("vector", named(VECTORS, "refused"))
def test_what_leads_nowhere_is_refused_with_its_path(vector: Any) -> None:
    segment = vectors.segment(vector)
    error = Workplace({}, [segment]).bind([segment]).errors()[segment.id]
    assert type(error).__name__ == vector["error"]
    assert all(word in str(error) for word in vector["told"]), error


@pytest.mark.parametrize("vector", named(VECTORS, "same"))
def test_nesting_leaves_no_trace_in_signatures(vector: Any) -> None:
    segment = vectors.segment(vector, STEPS)
    song = Workplace(STEPS, [segment]).bind([segment])
    assert len({song.step(segment.id, step).signature for step in vector["steps"]}) == 1


@pytest.mark.parametrize("vector", named(VECTORS, "addressed"))
def test_ports_of_nested_nodes_have_both_addresses(vector: Any) -> None:
    segment = vectors.segment(vector, STEPS)
    place = Workplace(STEPS, [segment])
    rendered = place.render(place.bind([segment]), [vectors.address(vector["target"])])

    assert [inputs["in"] for step, inputs, _ in place.saw if step == "gain"] == vector["saw"]
    assert list(rendered.values.values()) == ["gain.out"]


@pytest.mark.parametrize("vector", named(VECTORS, "recursive"))
def test_a_graph_that_contains_itself_is_refused(vector: Any) -> None:
    """Only a value that is changed after it was made can contain itself."""
    nodes: dict[str, Node] = {}
    outermost = graph = Graph(nodes)
    *outer, innermost = vector["through"]
    for name in outer:
        inside: dict[str, Node] = {}
        nodes[name] = Node(name, nested=Nested(Graph(inside)))
        nodes = inside
    nodes[innermost] = Node(innermost, nested=Nested(outermost))

    with pytest.raises(RecursiveNesting) as error:
        inline(graph)
    assert list(error.value.path) == vector["path"]
