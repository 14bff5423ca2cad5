"""Signatures: equal exactly when what they name is equal."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.core.drawing import KINDS, SHAPES, dags, songs

from quincunx_orchestrator.core.binding import BoundSong, bind_song
from quincunx_orchestrator.core.compiler import Compiler
from quincunx_orchestrator.core.graph import Edge, Graph
from quincunx_orchestrator.core.segment import Segment
from quincunx_shared.canonical import canonical_bytes
from quincunx_shared.intervention import Intervention
from quincunx_shared.manifest import Manifest, Option, Output
from quincunx_shared.names import Address, PortKey, SegmentId, Signature
from quincunx_shared.payload import encode
from quincunx_shared.signature import call_signature, from_step, from_value, recipe_signature, stamp_of

VALUES = st.one_of(st.integers(0, 2), st.floats(0, 2), st.booleans(), st.text("ab", max_size=2), st.none())
PAYLOADS = VALUES | st.sampled_from([np.zeros(2), np.zeros((2, 1)), np.zeros(2, np.float32), np.zeros(4, np.float32)])
REFS = PAYLOADS.map(lambda value: encode(value).ref)
LAID = st.lists(
    st.builds(Intervention, st.just(PortKey("a", "y")), st.sampled_from(KINDS), REFS, user=st.none() | REFS), max_size=2
)
SOURCES = st.one_of(
    st.builds(from_step, st.sampled_from([Signature("a" * 64), Signature("b" * 64)]), st.integers(0, 2), LAID),
    st.builds(from_value, REFS, LAID),
)
INPUTS = st.lists(st.tuples(st.sampled_from(["x", "y"]), st.lists(SOURCES, max_size=2)), max_size=2)
STAMPS = st.builds(
    lambda options, version: stamp_of(manifest(version), options, ""),
    st.dictionaries(st.sampled_from(["gain", "seed", "progress"]), VALUES),
    st.sampled_from(["1", "2"]),
)


def manifest(version: str = "1", *, numeric: bool = False) -> Manifest:
    return Manifest(
        name="step",
        version=version,
        outputs=(Output(name="y", type="any"),),
        options=(
            Option(name="gain", type="int"),
            Option(name="seed", type="int"),
            Option(name="progress", type="int", in_signature=False),
        ),
        numeric=numeric,
    )


@given(STAMPS, INPUTS, STAMPS, INPUTS)
def test_recipe_signatures_are_equal_exactly_when_their_pre_images_are(
    stamp: bytes, inputs: Any, other_stamp: bytes, other_inputs: Any
) -> None:
    same = stamp == other_stamp and canonical_bytes(inputs) == canonical_bytes(other_inputs)
    assert (recipe_signature(stamp, inputs) == recipe_signature(other_stamp, other_inputs)) == same


@given(st.lists(REFS, max_size=3), st.lists(REFS, max_size=3))
def test_call_signatures_keep_the_order_shape_and_type_of_what_was_collected(one: Any, other: Any) -> None:
    same = [ref.identity() for ref in one] == [ref.identity() for ref in other]
    stamp = stamp_of(manifest(), {}, "")
    assert (call_signature(stamp, [("x", one)]) == call_signature(stamp, [("x", other)])) == same
    assert call_signature(stamp, [("x", one)]) != recipe_signature(stamp, [("x", [from_value(ref, ()) for ref in one])])


@given(st.integers(), st.integers())
def test_an_option_outside_the_signature_leaves_no_trace(one: int, other: int) -> None:
    stamps = {stamp_of(manifest(), {"gain": 1, "progress": value}, "") for value in (one, other)}
    assert len(stamps) == 1


def test_only_numeric_steps_know_the_numeric_class() -> None:
    assert stamp_of(manifest(), {}, "cpu") == stamp_of(manifest(), {}, "gpu")
    assert stamp_of(manifest(numeric=True), {}, "cpu") != stamp_of(manifest(numeric=True), {}, "gpu")


@given(PAYLOADS, PAYLOADS)
def test_payloads_have_one_identity_exactly_when_they_are_the_same_value(one: Any, other: Any) -> None:
    def told(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return (value.dtype.str, value.shape, value.tobytes())
        return (type(value).__name__, repr(value))

    assert (encode(one).ref.identity() == encode(other).ref.identity()) == (told(one) == told(other))


def bound(*segments: Segment) -> BoundSong:
    return bind_song(segments, Compiler(SHAPES))


@given(dags())
def test_renaming_nodes_and_segments_changes_no_signature(graph: Graph) -> None:
    def renamed(key: PortKey) -> PortKey:
        return PortKey(f"other {key.node}", key.port)

    nodes = [replace(node, id=f"other {node.id}") for node in graph.nodes.values()]
    other = Graph.of(nodes, [Edge(renamed(edge.source), renamed(edge.target)) for edge in graph.edges])
    before = bound(Segment(SegmentId("s"), graph)).segments[SegmentId("s")].steps
    after = bound(Segment(SegmentId("t"), other)).segments[SegmentId("t")].steps
    assert {f"other {name}": step.signature for name, step in before.items()} == {
        name: step.signature for name, step in after.items()
    }


@given(dags(), st.data())
def test_renaming_outputs_changes_no_signature(graph: Graph, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(graph.nodes)))
    node = graph.nodes[name]
    names = {port: f"mine {port}" for port in node.outputs}
    other = Graph.of(
        [replace(one, outputs=tuple(names.values())) if one.id == name else one for one in graph.nodes.values()],
        [
            Edge(PortKey(name, names[edge.source.port]), edge.target) if edge.source.node == name else edge
            for edge in graph.edges
        ],
    )
    signatures = [
        {
            one: step.signature
            for one, step in bound(Segment(SegmentId("s"), each)).segments[SegmentId("s")].steps.items()
        }
        for each in (graph, other)
    ]
    assert signatures[0] == signatures[1]


@given(songs(), st.data())
def test_a_changed_option_changes_exactly_the_step_and_its_dependents(
    segments: list[Segment], data: st.DataObject
) -> None:
    before = bound(*segments)
    place = data.draw(st.integers(0, len(segments) - 2))
    edited = segments[place]
    node = data.draw(st.sampled_from(sorted(edited.graph.nodes)))
    changed = replace(edited.graph.nodes[node], options={"gain": 9})
    segments[place] = replace(edited, graph=edited.graph.update_node(changed))
    after = bound(*segments)
    different = {
        (name, one)
        for name, part in before.segments.items()
        for one, step in part.steps.items()
        if after.step(name, one).signature != step.signature
    }
    assert different == dependents(before, edited.id, node)


def dependents(song: BoundSong, segment: SegmentId, node: str) -> set[tuple[SegmentId, str]]:
    """The step and all that reads it, directly or not, by going round until nothing is added."""
    found = {(segment, node)}
    while True:
        readers = {
            (name, one)
            for name, part in song.segments.items()
            for one, step in part.steps.items()
            if any(_owner(source.address) in found for sources in step.sources for source in sources)
        }
        if readers <= found:
            return found
        found |= readers


def _owner(address: Address | None) -> tuple[SegmentId, str] | None:
    return (address.segment, address.key.node) if address else None
