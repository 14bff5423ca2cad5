"""Options for many steps at once, and everything that is wrong with a segment, told at once."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.core.drawing import SHAPES

from quincunx_orchestrator.core.binding import bind_song
from quincunx_orchestrator.core.compiler import Compiler
from quincunx_orchestrator.core.graph import Graph, Nested, Node, connect, node_of
from quincunx_orchestrator.core.options import assign_options, everything, that_declare, walk
from quincunx_orchestrator.core.segment import Segment
from quincunx_shared.errors import CyclicGraph, InvalidGraph, MissingInputs, RecursiveNesting, SeveralFaults
from quincunx_shared.manifest import Input, Manifest, Option, Output
from quincunx_shared.names import SegmentId
from quincunx_shared.recipe import RecipeStep


def nested_graph() -> Graph:
    inner = Graph.of([node_of(SHAPES["i0o1"], "core", options={"gain": 1})])
    outer = Node("box", outputs=("y0",), nested=Nested(inner))
    return Graph.of([node_of(SHAPES["i0o2"], "plain", options={"gain": 2}), outer])


def gains(graph: Graph) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for node in graph.nodes.values():
        inner = gains(node.nested.graph) if node.nested else {node.id: node.options.get("gain")}
        found |= inner
    return found


def test_new_options_win_on_all_steps_nested_ones_too() -> None:
    assert gains(assign_options(nested_graph(), everything, {"gain": 7})) == {"plain": 7, "core": 7}


def test_a_selector_is_a_step_s_name_or_a_predicate() -> None:
    assert gains(assign_options(nested_graph(), "i0o1", {"gain": 7})) == {"plain": 2, "core": 7}
    assert gains(assign_options(nested_graph(), lambda node: node.id == "plain", {"gain": 7})) == {
        "plain": 7,
        "core": 1,
    }
    assert gains(assign_options(nested_graph(), that_declare("gain", SHAPES), {"gain": 7})) == {"plain": 7, "core": 7}
    assert gains(assign_options(nested_graph(), that_declare("seed", SHAPES), {"gain": 7})) == {"plain": 2, "core": 1}


def test_walking_keeps_ids_and_edges_and_leaves_the_graph_alone() -> None:
    graph = nested_graph()
    seen: list[str] = []

    def look(node: Node) -> Node:
        seen.append(node.id)
        return Node("another", node.step, node.inputs, node.outputs)

    walked = walk(graph, look)
    assert seen == ["plain", "core"]
    assert list(walked.nodes) == ["plain", "box"]
    assert walked.nodes["plain"].id == "plain"
    assert gains(graph) == {"plain": 2, "core": 1}


STRICT = Manifest(
    name="strict",
    version="1",
    inputs=(Input(name="x", type="any"), Input(name="z", type="any")),
    outputs=(Output(name="y", type="any"),),
    options=(Option(name="gain", type="float", default=0, minimum=0, maximum=1),),
)


def test_everything_wrong_is_told_at_once_options_then_inputs_then_cycles() -> None:
    nodes = [node_of(STRICT, "a", options={"gain": 2}), node_of(STRICT, "b", options={"gian": 0.5})]
    graph = Graph.of(nodes, [connect("a.y", "b.x"), connect("b.y", "a.x")])
    error = bind_song([Segment(SegmentId("s"), graph)], Compiler({"strict": STRICT})).errors()[SegmentId("s")]
    assert isinstance(error, SeveralFaults)
    options, inputs, cycle = error.faults
    assert isinstance(options, InvalidGraph)
    assert options.problems == (
        "a: gain must be between 0 and 1, not 2",
        "b: unknown option 'gian'; did you mean 'gain'?",
    )
    assert isinstance(inputs, MissingInputs)
    assert inputs.ports == {"a": ("z",), "b": ("z",)}
    assert isinstance(cycle, CyclicGraph)
    assert cycle.nodes == ("a", "b")


def test_a_graph_that_stands_inside_itself_is_refused_with_the_way_there() -> None:
    nodes: dict[str, Node] = {}
    graph = Graph(nodes)
    nodes["box"] = Node("box", nested=Nested(Graph.of([Node("deep", nested=Nested(graph))])))
    error = bind_song([Segment(SegmentId("s"), graph)], Compiler({})).errors()[SegmentId("s")]
    assert isinstance(error, RecursiveNesting)
    assert error.path == ("box", "deep")


def test_a_default_is_the_same_option_as_the_value_given() -> None:
    def compiled(options: dict[str, Any]) -> RecipeStep:
        graph = Graph.of([node_of(STRICT, "a", options=options)])
        segment = Segment(SegmentId("s"), graph)
        return Compiler({"strict": STRICT}).compile(segment).steps["a"].step

    assert compiled({}) == compiled({"gain": 0.0}) == compiled({"gain": 0})
    assert isinstance(compiled({}).options["gain"], float)


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"inputs": (Input(name="x", type="any", default=1),)}, "is required and has a default"),
        ({"inputs": (Input(name="x", type="any", partial=True),)}, "cannot be partial"),
        ({"options": (Option(name="n", type="int", default=9, maximum=3),)}, "n must be at most 3, not 9"),
        ({"options": (Option(name="n", type="int"), Option(name="n", type="int"))}, "declared twice"),
        ({"outputs": ()}, "declares no output"),
    ],
)
def test_a_manifest_that_contradicts_itself_is_refused(declared: Any, said: str) -> None:
    outputs = (Output(name="y", type="any"),)
    with pytest.raises(ValueError, match=said):
        Manifest(**({"name": "odd", "version": "1", "outputs": outputs} | declared))


def test_a_node_whose_ports_are_not_its_step_s_is_refused() -> None:
    node = Node("a", "strict", inputs=("x", "w"), outputs=("one", "two"))
    error = bind_song([Segment(SegmentId("s"), Graph.of([node]))], Compiler({"strict": STRICT})).errors()[
        SegmentId("s")
    ]
    assert "a has the inputs x, w, strict those: x, z" in str(error)
    assert "a has the outputs one, two, strict those: y" in str(error)
