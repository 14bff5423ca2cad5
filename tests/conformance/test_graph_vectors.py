"""The vectors of graph.json: changes, equality, validation, and what a step sees at run time."""

from __future__ import annotations

from typing import Any

import pytest
from tests.conformance import vectors
from tests.conformance.running import Workplace
from tests.conformance.vectors import named

from quincunx_orchestrator.core.graph import Graph
from quincunx_orchestrator.core.validation import validate
from quincunx_shared.errors import InvalidGraph, MissingInputs
from quincunx_shared.names import SegmentId

VECTORS = vectors.load("graph")


def changed(graph: Graph, told: Any) -> Graph:
    match told["op"]:
        case "add_node":
            return graph.add_node(vectors.node(told["node"]))
        case "update_node":
            return graph.update_node(vectors.node(told["node"]))
        case "remove_node":
            return graph.remove_node(told["id"])
        case "add_edge":
            return graph.add_edge(vectors.edge(told["edge"]))
        case _:
            return graph.remove_edge(vectors.edge(told["edge"]))


@pytest.mark.parametrize("vector", named(VECTORS, "changes"))
def test_a_change_gives_a_new_graph(vector: Any) -> None:
    before = vectors.graph(vector["graph"])
    after = changed(before, vector["change"])

    assert list(after.nodes) == vector["nodes"]
    assert sorted(after.edges) == sorted(map(vectors.edge, vector["edges"]))
    for name, options in vector.get("options", {}).items():
        assert after.nodes[name].options == options
    assert before == vectors.graph(vector["graph"])


@pytest.mark.parametrize("vector", named(VECTORS, "loops"))
def test_a_self_loop_is_refused(vector: Any) -> None:
    graph = vectors.graph(vector["graph"])
    edge = vectors.edge(vector["edge"])

    with pytest.raises(InvalidGraph):
        graph.add_edge(edge)
    with pytest.raises(InvalidGraph):
        Graph.of(graph.nodes.values(), [*graph.edges, edge])


@pytest.mark.parametrize("vector", named(VECTORS, "equal"))
def test_graphs_are_equal_by_content(vector: Any) -> None:
    left, right = vectors.graph(vector["left"]), vectors.graph(vector["right"])
    assert (left == right) == vector["equal"]
    assert (left.digest == right.digest) == vector["same_digest"]
    assert left != right or hash(left) == hash(right)


@pytest.mark.parametrize("vector", named(VECTORS, "validate"))
def test_everything_wrong_with_a_graph_is_named(vector: Any) -> None:
    graph = vectors.graph(vector["graph"])
    if vector["problems"]:
        with pytest.raises(InvalidGraph) as refused:
            validate(graph)
        for problem, words in zip(refused.value.problems, vector["problems"], strict=True):
            assert all(word in problem for word in words), problem
    else:
        validate(graph)


@pytest.mark.parametrize("vector", named(VECTORS, "seen"))
def test_a_step_sees_these_inputs(vector: Any) -> None:
    segment = vectors.segment(vector, VECTORS["steps"])
    place = Workplace(VECTORS["steps"], [segment])
    song = place.bind([segment])
    if "missing" in vector:
        error = song.errors()[SegmentId("s")]
        assert isinstance(error, MissingInputs)
        assert error.ports == {node: tuple(ports) for node, ports in vector["missing"].items()}
        return

    place.render(song, [vectors.address("s/x.out")])
    assert place.saw[-1][1] == vector["saw"]
