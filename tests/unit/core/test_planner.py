"""The planner against an oracle that goes round until nothing is added."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.core.drawing import SHAPES, songs

from quincunx_orchestrator.core.binding import BoundSong, bind_song
from quincunx_orchestrator.core.compiler import Compiler
from quincunx_orchestrator.core.graph import Graph, node_of
from quincunx_orchestrator.core.operations import Intervene, SetInput
from quincunx_orchestrator.core.planner import Plan, StepKey, plan_render, recall_from
from quincunx_orchestrator.core.segment import Segment
from quincunx_shared.errors import BadInput, CyclicGraph
from quincunx_shared.intervention import Intervention
from quincunx_shared.names import Address, PortKey, SegmentId, Signature
from quincunx_shared.payload import ParamRef, encode


@st.composite
def edited_songs(draw: st.DrawFn) -> list[Segment]:
    """Songs with some overrides, offsets and given inputs."""
    segments = draw(songs())
    for place, segment in enumerate(segments[:-1]):
        for node in segment.graph.nodes.values():
            kind: Any = draw(st.sampled_from([None, None, "override", "offset"]))
            if kind:
                one = Intervention(PortKey(node.id, draw(st.sampled_from(node.outputs))), kind, encode(1).ref)
                segments[place] = segments[place].with_operation(Intervene(one))
            if node.inputs and draw(st.integers(0, 3)) == 0:
                key = PortKey(node.id, draw(st.sampled_from(node.inputs)))
                segments[place] = segments[place].with_operation(SetInput(key, encode(2)))
    return segments


def all_steps(song: BoundSong) -> dict[StepKey, Any]:
    return {(name, node): step for name, one in song.segments.items() for node, step in one.steps.items()}


def read_by(song: BoundSong, key: StepKey) -> set[StepKey]:
    sources = [source for sources in song.step(*key).sources for source in sources]
    return {(one.address.segment, one.address.key.node) for one in sources if one.address}


def needed_by(song: BoundSong, targets: list[Address], known: set[Signature]) -> tuple[set[StepKey], set[StepKey]]:
    """What must run and what is recalled: a step is asked for if it is a target or a step that runs reads it."""
    steps = all_steps(song)
    run: set[StepKey] = set()
    while True:
        asked = {(one.segment, one.key.node) for one in targets} | {key for one in run for key in read_by(song, one)}
        wanted = {key for key in asked if steps[key].signature not in known}
        if wanted == run:
            return run, asked - run
        run = wanted


def outputs_of(segments: list[Segment]) -> list[Address]:
    return [
        Address(one.id, PortKey(node.id, port))
        for one in segments
        for node in one.graph.nodes.values()
        for port in node.outputs
    ]


@given(edited_songs(), st.data())
def test_everything_needed_and_unknown_runs_and_nothing_else(segments: list[Segment], data: st.DataObject) -> None:
    song = bind_song(segments, Compiler(SHAPES))
    targets = data.draw(st.lists(st.sampled_from(outputs_of(segments)), min_size=1, max_size=3, unique=True))
    steps = all_steps(song)
    known = {steps[key].signature: step_outputs(steps[key]) for key in data.draw(st.sets(st.sampled_from([*steps])))}
    asked: list[Signature] = []

    def find(signatures: set[Signature]) -> dict[Signature, tuple[ParamRef, ...]]:
        asked.extend(signatures)
        return {one: known[one] for one in signatures if one in known}

    plan = recall_from(plan_render(song, targets), find)
    run, recalled = needed_by(song, targets, set(known))
    assert set(plan.to_run) == run
    assert set(plan.recalled) == recalled
    assert len(plan.to_run) + len(plan.recalled) + plan.covered + plan.unneeded == len(steps)
    assert plan.unneeded == len(steps) - len(needed_by(song, targets, set())[0])
    assert set(asked) == {steps[key].signature for key in run | recalled}
    assert_stages_hold(plan, song)


def step_outputs(step: Any) -> tuple[ParamRef, ...]:
    return tuple(encode(place).ref for place in range(len(step.compiled.outputs)))


def assert_stages_hold(plan: Plan, song: BoundSong) -> None:
    """Whatever a bundle reads is made before it in the bundle, exported by an earlier stage, or on the board."""
    there = set(plan.board)
    for stage in plan.stages:
        exported: set[Address] = set()
        for bundle in stage:
            inside: set[Address] = set()
            for task in bundle.tasks:
                sources = [source.address for sources in task.inputs for source in sources if source.address]
                assert set(sources) <= there | inside
                inside |= {Address(bundle.segment, PortKey(task.step.id, port)) for port in task.step.outputs}
            exported |= {Address(bundle.segment, key) for key in bundle.exports}
            assert exported <= inside | exported
        there |= exported
    assert set(plan.targets) <= there
    assert {bundle.segment for stage in plan.stages for bundle in stage} <= set(song.segments)


@given(edited_songs())
def test_binding_again_keeps_what_did_not_change(segments: list[Segment]) -> None:
    compiler = Compiler(SHAPES)
    before = bind_song(segments, compiler)
    counted = compiler.compilations
    again = bind_song(segments, compiler, before=before)
    assert all(again.segments[name] is one for name, one in before.segments.items())
    fresh = bind_song(segments, compiler)
    assert compiler.compilations == counted
    assert {key: step.signature for key, step in all_steps(fresh).items()} == {
        key: step.signature for key, step in all_steps(before).items()
    }


def test_a_song_that_reads_itself_in_a_circle_is_refused() -> None:
    graph = one_step()
    links = {"a": "b", "b": "a"}
    entrance, exit_port = PortKey("i1o1", "x0"), PortKey("i1o1", "y0")
    circle = [
        Segment(SegmentId(name), graph, links={entrance: (Address(SegmentId(other), exit_port),)})
        for name, other in links.items()
    ]
    with pytest.raises(CyclicGraph) as refused:
        bind_song(circle, Compiler(SHAPES))
    assert refused.value.nodes == ("a", "b")


def test_two_segments_of_one_name_are_refused() -> None:
    twin = Segment(SegmentId("twin"), one_step())
    with pytest.raises(BadInput, match="two segments are named 'twin'"):
        bind_song([twin, twin], Compiler(SHAPES))


@pytest.mark.parametrize(
    ("segment", "port", "said"), [("sauce", "y0", "no segment 'sauce'"), ("source", "y9", "no output source/i1o1.y9")]
)
def test_a_link_to_nowhere_is_the_reader_s_own_error(segment: str, port: str, said: str) -> None:
    source = Segment(SegmentId("source"), one_step())
    links = {PortKey("i1o1", "x0"): (Address(SegmentId(segment), PortKey("i1o1", port)),)}
    song = bind_song([source, Segment(SegmentId("reader"), one_step(), links=links)], Compiler(SHAPES))
    assert said in str(song.errors()[SegmentId("reader")])
    assert song.segments[source.id].error is None


def test_two_links_on_a_port_that_takes_one_are_refused() -> None:
    source = Segment(SegmentId("a"), one_step())
    address = Address(source.id, PortKey("i1o1", "y0"))
    reader = Segment(SegmentId("b"), one_step(), links={PortKey("i1o1", "x0"): (address, address)})
    assert "i1o1.x0 has 2 producers: a/i1o1.y0, a/i1o1.y0" in str(
        bind_song([source, reader], Compiler(SHAPES)).errors()[reader.id]
    )


def one_step() -> Graph:
    return Graph.of([node_of(SHAPES["i1o1"])])
