"""Graphs: equality without history, order, levels, and what recipes require and export."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.core.drawing import COLOURS, SHAPES, colourings, dags

from quincunx_orchestrator.core.compiler import Compiled, compile_graph
from quincunx_orchestrator.core.graph import Edge, Graph, Node, connect
from quincunx_orchestrator.core.validation import topological_order, validate
from quincunx_shared.errors import CyclicGraph, InvalidGraph
from quincunx_shared.names import PortKey


def compiled(graph: Graph, colours: dict[str, str], pinned: frozenset[PortKey] = frozenset()) -> Compiled:
    explicit = {name: colour for name, colour in colours.items() if name in graph.nodes}
    return compile_graph(graph, SHAPES, colours=explicit, pinned=pinned)


@given(dags(), st.randoms())
def test_equality_digest_and_hash_do_not_depend_on_the_order_of_construction(
    graph: Graph, chance: random.Random
) -> None:
    nodes, edges = list(graph.nodes.values()), list(graph.edges)
    chance.shuffle(nodes)
    chance.shuffle(edges)
    other = Graph()
    for node in nodes:
        other = other.add_node(node)
    for edge in edges:
        other = other.add_edge(edge)
    assert (other, other.digest, hash(other)) == (graph, graph.digest, hash(graph))


@given(dags(), dags())
def test_graphs_are_equal_exactly_when_their_digests_are(one: Graph, other: Graph) -> None:
    assert (one == other) == (one.digest == other.digest)


def test_nodes_with_arrays_compare_and_have_a_hash() -> None:
    def node(value: float) -> Node:
        return Node("a", presets={"x": np.full(3, value)}, options={"n": 1})

    assert node(1) == node(1)
    assert hash(node(1)) == hash(node(1))
    assert node(1) != node(2)
    assert Node("a", options={"n": 1}) != Node("a", options={"n": True})


@given(dags())
def test_every_node_comes_after_all_that_feed_it(graph: Graph) -> None:
    order = topological_order(graph)
    place = {name: number for number, name in enumerate(order)}
    assert sorted(order) == sorted(graph.nodes)
    assert all(place[edge.source.node] < place[edge.target.node] for edge in graph.edges)


def test_nodes_that_feed_nobody_keep_the_order_in_which_they_were_added() -> None:
    graph = Graph.of(Node(name) for name in "cab")
    assert topological_order(graph) == ("c", "a", "b")


@given(dags(), st.data())
def test_a_cycle_is_named_by_nodes_that_lie_behind_and_before_each_other(graph: Graph, data: st.DataObject) -> None:
    pairs = [(edge.target.node, edge.source.node) for edge in graph.edges]
    if not pairs:
        return
    later, earlier = data.draw(st.sampled_from(pairs))
    back = graph.nodes[earlier]
    grown = graph.update_node(Node(back.id, back.step, (*back.inputs, "back"), back.outputs))
    source = PortKey(later, graph.nodes[later].outputs[0])
    with pytest.raises(CyclicGraph) as refused:
        validate(grown.add_edge(Edge(source, PortKey(earlier, "back"))))
    assert {later, earlier} <= set(refused.value.nodes)


@given(dags(), colourings())
def test_recipes_never_wait_for_each_other_in_a_circle(graph: Graph, colours: dict[str, str]) -> None:
    result = compiled(graph, colours)
    level = {recipe.name: recipe.level for recipe in result.recipes}
    for edge in graph.edges:
        source, target = result.steps[edge.source.node], result.steps[edge.target.node]
        if source.recipe != target.recipe:
            assert level[source.recipe] < level[target.recipe]
        assert source.level + (source.cluster != target.cluster) <= target.level


@given(dags(), colourings())
def test_an_explicit_colour_wins_else_the_union_of_those_upstream(graph: Graph, colours: dict[str, str]) -> None:
    result = compiled(graph, colours)
    for name, step in result.steps.items():
        if name in colours:
            expected = {colours[name]}
        else:
            feeders = graph.feeders(name)
            expected = {part for one in feeders for part in result.steps[one].cluster.split("+")} or {"default"}
        assert set(step.cluster.split("+")) == expected


@given(dags(), colourings(), st.data())
def test_requires_and_exports_are_complete_unique_and_sorted(
    graph: Graph, colours: dict[str, str], data: st.DataObject
) -> None:
    outputs = [PortKey(node.id, port) for node in graph.nodes.values() for port in node.outputs]
    pinned = data.draw(st.frozensets(st.sampled_from(outputs), max_size=2))
    result = compiled(graph, colours, pinned)
    home = {name: step.recipe for name, step in result.steps.items()}
    assert sorted(step.id for recipe in result.recipes for step in recipe.steps) == sorted(graph.nodes)
    for recipe in result.recipes:
        mine = {step.id for step in recipe.steps}
        inputs = [PortKey(name, port) for name in mine for port in graph.nodes[name].inputs]
        crossing = {edge for edge in graph.edges if home[edge.source.node] != home[edge.target.node]}
        wanted = {edge.source for edge in crossing if edge.target.node in mine}
        assert recipe.requires == tuple(sorted(wanted | {key for key in inputs if key not in graph.producers}))
        given_out = {key for key in outputs if key.node in mine and (key in pinned or key not in graph.consumers)}
        assert recipe.exports == tuple(sorted(given_out | {one.source for one in crossing if one.source.node in mine}))


@given(dags(), colourings())
def test_merged_colours_are_one_recipe_a_level(graph: Graph, colours: dict[str, str]) -> None:
    explicit = {name: colour for name, colour in colours.items() if name in graph.nodes}
    merged = compile_graph(graph, SHAPES, colours=explicit, merge_groups={"all": (*COLOURS, "default")})
    assert [recipe.cluster for recipe in merged.recipes] == ["all"]


def test_a_chain_of_a_thousand_nodes_is_ordered() -> None:
    nodes = [Node(f"n{number}", inputs=("x",), outputs=("y",)) for number in range(1000)]
    graph = Graph.of(nodes, (connect(f"n{number}.y", f"n{number + 1}.x") for number in range(999)))
    assert topological_order(graph) == tuple(graph.nodes)


def test_an_address_without_a_node_is_refused() -> None:
    with pytest.raises(InvalidGraph, match="is not an address"):
        connect("y", "a.x")
