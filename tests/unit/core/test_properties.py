"""Whole songs against oracles that know nothing of the core: terms for signatures, two lists for histories.

The term of a step spells out the whole computation: the step, its options, and port by port what is read and what is
laid on it. It is the pre-image of the signature with nothing hashed away.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.core.drawing import SHAPES, dags, operations

from quincunx_orchestrator.core.binding import BoundSong, bind_song
from quincunx_orchestrator.core.compiler import Compiler
from quincunx_orchestrator.core.graph import Bypass, Edge, Graph, Nested, Node, node_of
from quincunx_orchestrator.core.history import History
from quincunx_orchestrator.core.operations import Intervene, Operation, SetInput
from quincunx_orchestrator.core.planner import plan_render, recall_from
from quincunx_orchestrator.core.segment import Segment
from quincunx_shared.canonical import canonical_bytes
from quincunx_shared.intervention import KIND_ORDER, Intervention, Operator
from quincunx_shared.manifest import Input, Manifest, Output
from quincunx_shared.names import Address, PortKey, SegmentId
from quincunx_shared.payload import encode

COLLECT = Manifest(
    name="collect",
    version="1",
    inputs=(Input(name="all", type="any", required=False, multi=True),),
    outputs=(Output(name="y0", type="any"),),
)
MANIFESTS = {**SHAPES, "collect": COLLECT}
OPERATORS = {name: Operator(lambda inner, _: inner, short_circuits=name == "instead") for name in ("blend", "instead")}
HERE = SegmentId("s")


@st.composite
def edited_segments(draw: st.DrawFn) -> Segment:
    """A drawn graph with a node that collects, presets, inputs, and interventions of all kinds and scopes."""
    plain = draw(dags(most=5))
    outputs = [PortKey(node.id, port) for node in plain.nodes.values() for port in node.outputs]
    collected = draw(st.lists(st.sampled_from(outputs), max_size=3, unique=True))
    preset = draw(st.dictionaries(st.sampled_from(["x0", "x1"]), st.sampled_from([0, None]), max_size=2))
    collector = node_of(COLLECT, "c")
    collector = replace(collector, order={"all": tuple(draw(st.permutations(collected)))})
    nodes = [
        replace(node, presets={name: one for name, one in preset.items() if name in node.inputs})
        for node in plain.nodes.values()
    ]
    edges = [*plain.edges, *(Edge(one, PortKey("c", "all")) for one in collected)]
    segment = Segment(HERE, Graph.of([*nodes, collector], edges))
    for edit in draw(st.lists(edits(segment.graph, outputs), max_size=4)):
        segment = segment.with_operation(edit)
    return segment


def edits(graph: Graph, outputs: list[PortKey]) -> st.SearchStrategy[Operation]:
    inputs = [PortKey(node.id, port) for node in graph.nodes.values() for port in node.inputs]
    laid = st.builds(
        Intervention,
        st.sampled_from(outputs),
        st.sampled_from(KIND_ORDER),
        st.integers(0, 1).map(lambda value: encode(value).ref),
        operator=st.sampled_from([*OPERATORS]),
        scope=st.none() | st.sampled_from(inputs),
    ).map(lambda one: one if one.kind == "custom" else without_operator(one))
    return st.one_of(
        st.builds(Intervene, laid),
        st.builds(SetInput, st.sampled_from(inputs), st.sampled_from([encode(0), encode(2)])),
    )


def without_operator(one: Intervention) -> Intervention:
    return Intervention(one.target, one.kind, one.operand, scope=one.scope)


def bound(segment: Segment) -> BoundSong:
    song = bind_song([segment], Compiler(MANIFESTS), operators=OPERATORS)
    assert not song.errors()
    return song


def term_of(segment: Segment, node: str) -> Any:
    """The whole computation of a step, spelled out from the folded segment alone."""
    graph = segment.effective.graph
    one = graph.nodes[node]
    return [one.step, dict(one.options), [sources_of(segment, PortKey(node, port)) for port in one.inputs]]


def sources_of(segment: Segment, key: PortKey) -> list[Any]:
    if key in segment.effective.inputs:
        return [["value", segment.effective.inputs[key].ref.identity(), []]]
    node = segment.effective.graph.nodes[key.node]
    feeding = [edge.source for edge in segment.effective.graph.edges if edge.target == key]
    if feeding:
        declared = list(node.order.get(key.port, ()))
        return [source_of(segment, one, key) for one in (declared or feeding)]
    return [["value", encode(node.presets[key.port]).ref.identity(), []]] if key.port in node.presets else []


def source_of(segment: Segment, producer: PortKey, consumer: PortKey) -> Any:
    """What a consumer reads: the producer's term, or what replaces it, under all that is laid on it."""
    laid = [one for one in segment.effective.interventions if one.target == producer]
    mine = [one for one in laid if one.scope in (None, consumer)]
    mine.sort(key=lambda one: (KIND_ORDER.index(one.kind), one.scope is not None, one.operator))
    found: Any = ["step", term_of(segment, producer.node), int(producer.port[1:]), []]
    for one in mine:
        if one.kind == "override":
            found = ["value", one.operand.identity(), []]
            continue
        if one.kind == "custom" and OPERATORS[one.operator].short_circuits:
            found = ["value", encode(None).ref.identity(), []]
        found[-1].append([one.kind, one.operator, one.operand.identity()])
    return found


@given(edited_segments(), edited_segments())
def test_signatures_are_equal_exactly_when_the_whole_computations_are(one: Segment, other: Segment) -> None:
    names: dict[bytes, str] = {}
    for segment in (one, other):
        for node, step in bound(segment).segments[HERE].steps.items():
            term = canonical_bytes(term_of(segment, node))
            assert names.setdefault(term, step.signature) == step.signature
    assert len(set(names.values())) == len(names)


@given(edited_segments(), st.data())
def test_after_any_edit_exactly_the_steps_with_a_new_computation_run(segment: Segment, data: st.DataObject) -> None:
    outputs = [PortKey(node.id, port) for node in segment.graph.nodes.values() for port in node.outputs]
    after = segment.with_operation(data.draw(edits(segment.graph, outputs)))
    before = {canonical_bytes(term_of(segment, node)) for node in segment.graph.nodes}
    known = {
        step.signature: tuple(encode(place).ref for place in range(len(step.compiled.outputs)))
        for step in bound(segment).segments[HERE].steps.values()
    }
    planning = plan_render(bound(after), [Address(HERE, key) for key in outputs])
    plan = recall_from(planning, lambda asked: {one: known[one] for one in asked if one in known})

    asked = {key.node for key in outputs}
    assert {node for _, node in plan.to_run} == {
        node for node in asked if canonical_bytes(term_of(after, node)) not in before
    }
    assert len(plan.to_run) + len(plan.recalled) + plan.covered + plan.unneeded == len(segment.graph.nodes)


@given(dags(most=5), st.data())
def test_a_nested_graph_computes_what_it_computes_by_hand(graph: Graph, data: st.DataObject) -> None:
    output = PortKey(
        name := data.draw(st.sampled_from([*graph.nodes])), data.draw(st.sampled_from(graph.nodes[name].outputs))
    )
    nested = Nested(graph, output_map={output: "y0"})
    holder = Node("outer", outputs=("y0",), nested=nested)
    reader = node_of(SHAPES["i1o1"], "reader")
    read = PortKey("reader", "x0")

    inside = bound(Segment(HERE, Graph.of([holder, reader], [Edge(PortKey("outer", "y0"), read)])))
    by_hand = bound(Segment(HERE, Graph.of([*graph.nodes.values(), reader], [*graph.edges, Edge(output, read)])))
    assert inside.step(HERE, "reader").signature == by_hand.step(HERE, "reader").signature


@given(dags(most=6), st.data())
def test_bypassing_a_node_is_rewiring_around_it(graph: Graph, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([*graph.nodes]))
    node = graph.nodes[name]
    switched_off = graph.update_node(replace(node, bypass=Bypass()))
    rewired = graph.remove_node(name)
    for edge in graph.edges:
        if edge.source.node == name:
            place = node.outputs.index(edge.source.port)
            entrance = PortKey(name, node.inputs[place]) if place < len(node.inputs) else None
            source = next((one.source for one in graph.edges if one.target == entrance), None)
            rewired = rewired.add_edge(Edge(source, edge.target)) if source else with_preset(rewired, edge.target)

    left = bound(Segment(HERE, switched_off)).segments[HERE].steps
    right = bound(Segment(HERE, rewired)).segments[HERE].steps
    assert {one: step.signature for one, step in left.items()} == {one: step.signature for one, step in right.items()}


def with_preset(graph: Graph, key: PortKey) -> Graph:
    node = graph.nodes[key.node]
    return graph.update_node(replace(node, presets={**node.presets, key.port: None}))


@settings(max_examples=50)
@given(st.lists(operations(depth=0) | st.sampled_from(["undo", "redo"]), max_size=20))
def test_a_history_is_two_lists(moves: list[Operation | str]) -> None:
    history = History()
    done: list[Any] = []
    undone: list[Any] = []
    for move in moves:
        returned: Operation | None = None
        if not isinstance(move, str):
            history = history.push(move)
            done, undone = [*done, move], []
            continue
        history, returned = history.undo() if move == "undo" else history.redo()
        source, sink = (done, undone) if move == "undo" else (undone, done)
        expected = source.pop() if source else None
        assert returned is expected
        if expected is not None:
            sink.append(expected)
        assert history.operations() == tuple(done)
