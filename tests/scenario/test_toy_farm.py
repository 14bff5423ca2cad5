"""The engine from binding to payload, with toy steps: what ran, and what came out."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from tests.scenario.toy_farm import (
    FRAMES,
    MIXED,
    Toys,
    address,
    edge,
    mix_of,
    port,
    ramp,
    segment,
    step,
    toy_farm,
)

from quincunx_orchestrator.core.graph import Bypass, Edge, Graph, Nested, Node
from quincunx_orchestrator.core.history import AddEdge, AddNode, Batch, Intervene, RemoveNode, SetInput
from quincunx_orchestrator.core.segment import Segment
from quincunx_orchestrator.render_result import RenderResult
from quincunx_shared.events import StepFailed, StepProgressed, StepSkipped
from quincunx_shared.intervention import Intervention, Operator
from quincunx_shared.manifest import Input, Option
from quincunx_shared.names import Digest, SegmentId
from quincunx_shared.payload import Payload, encode
from quincunx_shared.step import StepContext

END = address("p", "last.y")


@pytest.fixture
def toys() -> Iterator[Toys]:
    with toy_farm() as farm:
        yield farm


def chain(toys: Toys, name: str = "p", *, start: float = 0) -> Segment:
    """first → middle → last, each adding one."""
    nodes = [toys.node("add", one) for one in ("first", "middle", "last")]
    return segment(name, nodes, ["first.y > middle.x", "middle.y > last.x"], at="first.x", start=start)


def forked(toys: Toys) -> Segment:
    """first → split → (left, right) → join"""
    nodes = [toys.node("add", "first"), toys.node("split"), toys.node("add", "left"), toys.node("add", "right")]
    edges = ["first.y > split.x", "split.low > left.x", "split.high > right.x", "left.y > join.a", "right.y > join.b"]
    return segment("p", [*nodes, toys.node("join")], edges, at="first.x")


def laid(kind: Any, target: str, operand: Payload, **more: Any) -> Intervene:
    """The operation that lays an intervention on a port."""
    encoded = encode(operand)
    user = more.pop("user", None)
    payloads = [encoded] + ([encode(user)] if user is not None else [])
    reference = encode(user).ref if user is not None else None
    return Intervene(Intervention(port(target), kind, encoded.ref, user=reference, **more), tuple(payloads))


def value(result: RenderResult, target: Any = END) -> Any:
    assert result.state == "succeeded", (result.failed, result.skipped)
    return result.payloads[target]


# ---- nothing changed, undo, redo


def test_a_render_runs_everything_once_and_the_next_nothing(toys: Toys) -> None:
    song = chain(toys)
    first = toys.render(song, targets=[END])
    assert toys.ran == [("p", "first"), ("p", "last"), ("p", "middle")]
    again = toys.render(chain(toys), targets=[END])
    assert toys.ran == []
    np.testing.assert_array_equal(value(first), ramp(3))
    np.testing.assert_array_equal(value(again), value(first))
    assert (len(again.plan.recalled), again.plan.covered) == (1, 2)


def test_an_edit_runs_its_dependents_and_undo_and_redo_run_nothing(toys: Toys) -> None:
    song = chain(toys)
    toys.render(song, targets=[END])
    edited = song.with_operation(laid("offset", "first.y", 10))
    assert value(toys.render(edited, targets=[END]))[0] == 13
    assert toys.ran == [("p", "last"), ("p", "middle")]
    assert value(toys.render(edited.undone(), targets=[END]))[0] == 3
    assert toys.ran == []
    assert value(toys.render(edited.undone().redone(), targets=[END]))[0] == 13
    assert toys.ran == []


def test_a_change_that_makes_no_difference_stops_where_it_makes_none(toys: Toys) -> None:
    nodes = [toys.node("add", "first", amount=2.0), toys.node("add", "last")]
    song = segment("p", nodes, ["first.y > last.x"], at="first.x", start=1)
    toys.render(song, targets=[END])
    nodes = [toys.node("add", "first", amount=1.0), toys.node("add", "last")]
    other = segment("p", nodes, ["first.y > last.x"], at="first.x", start=2)
    result = toys.render(other, targets=[END])
    assert toys.ran == [("p", "first")]
    assert result.recalled[SegmentId("p"), "last"] == "call"


def test_a_removed_node_takes_its_interventions_along_and_wakes_them_when_it_returns(toys: Toys) -> None:
    song = chain(toys).with_operation(laid("offset", "first.y", 10))
    wanted = value(toys.render(song, targets=[END]))
    gone = song.with_operation(RemoveNode("last"))
    assert toys.render(gone, targets=[address("p", "middle.y")]).state == "succeeded"
    back = gone.with_operation(
        Batch((AddNode(toys.node("add", "last")), AddEdge(edge("middle.y > last.x")), RemoveNode("first")))
    ).with_operation(Batch((AddNode(toys.node("add", "first")), AddEdge(edge("first.y > middle.x")))))
    np.testing.assert_array_equal(value(toys.render(back, targets=[END])), wanted)
    assert toys.ran == []


# ---- interventions


def test_overriding_all_outputs_spares_the_step_and_ancestors_nobody_needs(toys: Toys) -> None:
    song = chain(toys).with_operation(laid("override", "middle.y", ramp(100)))
    np.testing.assert_array_equal(value(toys.render(song, targets=[END])), ramp(101))
    assert toys.ran == [("p", "last")]


def test_overriding_one_of_two_outputs_leaves_the_step_running_for_the_other(toys: Toys) -> None:
    song = forked(toys).with_operation(laid("override", "split.low", ramp(0)))
    done = value(toys.render(song, targets=[address("p", "join.y")]), address("p", "join.y"))
    assert ("p", "split") in toys.ran
    np.testing.assert_array_equal(done, (ramp(0) + 1) + (2 * ramp(1) + 1))


def test_overriding_both_outputs_of_a_step_spares_it(toys: Toys) -> None:
    song = forked(toys).with_operation(
        Batch((laid("override", "split.low", ramp(0)), laid("override", "split.high", ramp(1))))
    )
    toys.render(song, targets=[address("p", "join.y")])
    assert toys.ran == [("p", "join"), ("p", "left"), ("p", "right")]


def test_an_offset_on_one_edge_reaches_only_that_consumer(toys: Toys) -> None:
    nodes = [toys.node("add", "first"), toys.node("add", "left"), toys.node("add", "right"), toys.node("join")]
    edges = ["first.y > left.x", "first.y > right.x", "left.y > join.a", "right.y > join.b"]
    song = segment("p", nodes, edges, at="first.x")
    target = address("p", "join.y")
    before = value(toys.render(song, targets=[target]), target)
    edited = song.with_operation(laid("offset", "first.y", 5, scope=port("right.x")))
    after = value(toys.render(edited, targets=[target]), target)
    assert toys.ran == [("p", "join"), ("p", "right")]
    np.testing.assert_array_equal(after, before + 5)


def test_kinds_are_independent_and_the_offset_lies_on_the_overridden_value(toys: Toys) -> None:
    song = chain(toys)
    for one in (laid("scale", "middle.y", 3), laid("offset", "middle.y", 1), laid("override", "middle.y", ramp(0))):
        song = song.with_operation(one)
    np.testing.assert_array_equal(value(toys.render(song, targets=[END])), (ramp(0) + 1) * 3 + 1)
    assert toys.ran == [("p", "last")]


def test_a_mask_blends_frame_by_frame(toys: Toys) -> None:
    weight = np.zeros(FRAMES)
    weight[:2] = [1, 0.5]
    song = chain(toys).with_operation(laid("mask", "middle.y", weight, user=ramp(100)))
    done = value(toys.render(song, targets=[END]))
    assert list(done[:3]) == [101, 0.5 * 101 + 0.5 * 3 + 1, 5]


def test_a_curve_is_sampled_on_the_consumer_s_grid_and_an_overriding_one_keeps_its_producer(toys: Toys) -> None:
    curve = {"curve": {"points": [[0, 0], [FRAMES - 1, FRAMES - 1]]}}
    for kind, expected in (("offset", ramp(3) + ramp(0)), ("override", ramp(1))):
        song = chain(toys).with_operation(laid(kind, "middle.y", curve))
        np.testing.assert_allclose(value(toys.render(song, targets=[END])), expected, rtol=1e-5)


def test_a_custom_operator_merges_inner_and_own_and_may_short_circuit() -> None:
    operators = {
        "louder": Operator(lambda inner, own: np.maximum(inner, own)),
        "instead": Operator(lambda inner, own: own if inner is None else 1 / 0, short_circuits=True),
    }
    with toy_farm(operators=operators) as toys:
        louder = chain(toys).with_operation(laid("custom", "middle.y", ramp(50), operator="louder"))
        assert value(toys.render(louder, targets=[END]))[0] == 51
        assert len(toys.ran) == 3
        instead = chain(toys, start=7).with_operation(laid("custom", "middle.y", ramp(50), operator="instead"))
        assert value(toys.render(instead, targets=[END]))[0] == 51
        assert toys.ran == []  # the same value reaches `last` as before


def test_an_operator_nobody_knows_is_its_segment_s_own_error(toys: Toys) -> None:
    bad = chain(toys, "bad").with_operation(laid("custom", "middle.y", 1, operator="lowder"))
    result = toys.render(bad, chain(toys), targets=[END])
    assert "unknown operator 'lowder'" in result.failed[SegmentId("bad"), ""]
    assert result.state == "partial"
    assert result.payloads[END][0] == 3


def test_an_operator_that_raises_fails_its_consumer_by_name() -> None:
    with toy_farm(operators={"odd": Operator(lambda inner, own: inner[own["nowhere"]])}) as toys:
        song = chain(toys).with_operation(laid("custom", "first.y", {"a": 1}, operator="odd"))
        result = toys.render(song, targets=[END])
    assert "custom on first.y" in result.failed[SegmentId("p"), "middle"]
    assert "KeyError" in result.failed[SegmentId("p"), "middle"]


def test_an_operand_that_does_not_fit_says_so(toys: Toys) -> None:
    song = chain(toys).with_operation(laid("offset", "first.y", [1.0, 2.0, 3.0]))
    error = toys.render(song, targets=[END]).failed[SegmentId("p"), "middle"]
    assert error == f"offset on first.y: the operand does not fit: (3,) numbers over a value of shape ({FRAMES},)"
    song = chain(toys).with_operation(laid("offset", "first.y", {"up": 1}))
    assert "not numbers" in toys.render(song, targets=[END]).failed[SegmentId("p"), "middle"]


def test_an_override_drawn_on_another_output_is_a_conflict_the_caller_sees(toys: Toys) -> None:
    song = chain(toys)
    toys.render(song, targets=[END])
    drawn_on = Digest(encode(ramp(2)).ref.digest)
    agreed = song.with_operation(laid("override", "middle.y", ramp(9), drawn_on=drawn_on))
    assert toys.plan(agreed, target=END).conflicts == ()
    changed = chain(toys, start=5)
    toys.render(changed, targets=[END])
    conflicting = changed.with_operation(laid("override", "middle.y", ramp(9), drawn_on=drawn_on))
    (conflict,) = toys.plan(conflicting, target=END).conflicts
    assert conflict.drawn_on.producer == address("p", "middle.y")
    assert conflict.found is not None
    assert conflict.found.digest == encode(ramp(7)).ref.digest


def test_a_conflict_that_shows_only_when_the_model_ran_is_in_the_result(toys: Toys) -> None:
    song = forked(toys)
    target = address("p", "join.y")
    for start, conflicts in ((0, 0), (1, 1)):
        drawn_on = encode(ramp(1 + start) / 2).ref.digest
        edited = song.with_operation(laid("override", "split.low", ramp(9), drawn_on=drawn_on))
        assert len(toys.plan(edited, target=target).conflicts) == 1
        result = toys.render(edited, targets=[target])
        assert len(result.conflicts) == conflicts
        toys.index._records.clear()


def test_an_edit_that_cannot_be_is_its_segment_s_own_error(toys: Toys) -> None:
    loop = Edge(port("last.y"), port("last.x"))
    bad = chain(toys, "bad").with_operation(AddEdge(loop))
    mix = mix_of(toys, END, address("bad", "last.y"))
    result = toys.render(bad, chain(toys), mix, targets=[MIXED])
    assert result.state == "partial"
    assert result.failed == {("bad", ""): "last.y → last.x: last cannot feed itself"}


def test_a_port_wide_and_an_edge_wide_intervention_of_one_kind_are_reported(toys: Toys) -> None:
    song = chain(toys)
    for one in (laid("offset", "first.y", 1), laid("offset", "first.y", 2, scope=port("middle.x"))):
        song = song.with_operation(one)
    (conflict,) = song.effective.conflicts()
    assert (conflict.target, conflict.consumer, conflict.kind) == (port("first.y"), port("middle.x"), "offset")


def test_an_intervention_on_a_phrase_reaches_the_mix_that_reads_it(toys: Toys) -> None:
    song = chain(toys)
    mix = mix_of(toys, END)
    assert value(toys.render(song, mix, targets=[MIXED]), MIXED)[0] == 3
    edited = song.with_operation(laid("offset", "last.y", ramp(0)))
    assert value(toys.render(edited, mix, targets=[MIXED]), MIXED)[1] == 5
    assert toys.ran == [("song", "mix")]


def test_an_edge_of_the_phrase_s_own_graph_is_no_edge_of_the_song(toys: Toys) -> None:
    nodes = [toys.node("add", "last"), toys.node("mix")]
    song = segment("p", nodes, ["last.y > mix.audio"], at="last.x")
    mix = mix_of(toys, END)
    edited = song.with_operation(laid("offset", "last.y", 7, scope=port("mix.audio")))
    assert value(toys.render(edited, mix, targets=[MIXED]), MIXED)[0] == 1


def test_an_intervention_on_a_node_that_never_was_is_refused_with_a_hint(toys: Toys) -> None:
    song = chain(toys).with_operation(laid("offset", "midle.y", 1))
    result = toys.render(song, targets=[END])
    assert result.failed == {("p", ""): "p: no node 'midle' for midle.y; did you mean 'middle'?"}
    assert result.state == "failed"


def test_an_explicit_value_wins_over_a_connection(toys: Toys) -> None:
    song = chain(toys).with_operation(SetInput(port("last.x"), encode(ramp(50))))
    assert value(toys.render(song, targets=[END]))[0] == 51
    assert toys.ran == [("p", "last")]


# ---- bypass and nesting


def test_a_bypassed_node_hands_its_input_through(toys: Toys) -> None:
    nodes = [toys.node("add", "first"), replace(toys.node("add", "middle"), bypass=Bypass()), toys.node("add", "last")]
    song = segment("p", nodes, ["first.y > middle.x", "middle.y > last.x"], at="first.x")
    assert value(toys.render(song, targets=[END]))[0] == 2
    assert toys.ran == [("p", "first"), ("p", "last")]


def test_what_is_given_to_a_bypassed_node_flows_through_two_of_them(toys: Toys) -> None:
    away = [replace(toys.node("add", one), bypass=Bypass()) for one in ("first", "middle")]
    edges = ["first.y > middle.x", "middle.y > last.x"]
    song = segment("p", [*away, toys.node("add", "last")], edges, at="first.x", start=4)
    assert value(toys.render(song, targets=[END]))[0] == 5


def test_a_muted_source_keeps_its_place_in_a_mix() -> None:
    heard: list[Any] = []

    def listen(inputs: Mapping[str, Any], options: Mapping[str, Any], context: StepContext) -> Any:  # noqa: ARG001
        heard.append([None if one is None else float(one[0]) for one in inputs["audio"]])
        return np.zeros(1)

    many = Input(name="audio", type="audio", multi=True)
    with toy_farm(step("listen", listen, inputs=[many])) as farm:
        nodes = [farm.node("add", name, amount=amount) for name, amount in (("a", 1.0), ("b", 2.0), ("c", 3.0))]
        edges = ["first.y > a.x", "first.y > b.x", "first.y > c.x", "a.y > listen.audio", "b.y > listen.audio"]
        edges += ["c.y > listen.audio", "first.y > listen.audio"]

        def heard_with(bypass: Bypass | None) -> list[Any]:
            muted = [nodes[0], replace(nodes[1], bypass=bypass), nodes[2]]
            one = segment("p", [farm.node("add", "first"), *muted, farm.node("listen")], edges, at="first.x")
            farm.render(one, targets=[address("p", "listen.y")])
            last: list[Any] = heard[-1]
            return last

        assert heard_with(None) == [2.0, 3.0, 4.0, 1.0]
        assert heard_with(Bypass(mute=True)) == [2.0, None, 4.0, 1.0]
        assert heard_with(Bypass()) == [2.0, 1.0, 4.0, 1.0]


def nested_chain(toys: Toys) -> Segment:
    """The chain with `middle` inside a graph of its own."""
    inner = Graph.of([toys.node("add", "core")])
    nest = Nested(inner, {"in": port("core.x")}, {port("core.y"): "out"})
    nodes = [
        toys.node("add", "first"),
        Node("middle", inputs=("in",), outputs=("out",), nested=nest),
        toys.node("add", "last"),
    ]
    return segment("p", nodes, ["first.y > middle.in", "middle.out > last.x"], at="first.x")


def test_a_nested_graph_is_the_flat_one_and_shares_its_results(toys: Toys) -> None:
    toys.render(chain(toys), targets=[END])
    assert value(toys.render(nested_chain(toys), targets=[END]))[0] == 3
    assert toys.ran == []


def test_interventions_and_targets_reach_the_ports_of_nested_nodes(toys: Toys) -> None:
    outside = nested_chain(toys).with_operation(laid("override", "middle.out", ramp(10)))
    assert value(toys.render(outside, targets=[END]))[0] == 11
    assert toys.ran == [("p", "last")]
    inside = nested_chain(toys).with_operation(laid("offset", "middle/core.y", 10))
    assert value(toys.render(inside, targets=[END]))[0] == 13
    target = address("p", "middle.out")
    assert value(toys.render(nested_chain(toys), targets=[target]), target)[0] == 2


def test_a_mix_reads_the_output_of_a_nested_node_in_time(toys: Toys) -> None:
    source = address("p", "middle.out")
    assert value(toys.render(nested_chain(toys), mix_of(toys, source), targets=[MIXED]), MIXED)[0] == 2


# ---- failures


def broken_and_sound(toys: Toys) -> tuple[Segment, Segment, Segment]:
    nodes = [toys.node("fail", "first"), toys.node("add", "middle"), toys.node("add", "last")]
    broken = segment("b", nodes, ["first.y > middle.x", "middle.y > last.x"], at="first.x")
    return broken, chain(toys), mix_of(toys, END, address("b", "last.y"))


def test_descendants_of_a_failure_are_skipped_by_name_and_the_others_go_on(toys: Toys) -> None:
    result = toys.render(*broken_and_sound(toys), targets=[MIXED])
    assert result.state == "partial"
    assert result.failed == {("b", "first"): "b/first: ZeroDivisionError: the step broke"}
    assert result.skipped == {("b", "middle"): "b/first failed", ("b", "last"): "b/first failed"}
    np.testing.assert_array_equal(result.payloads[MIXED], ramp(3))
    events = toys.log.since(0)
    assert [one.node for one in events if isinstance(one, StepFailed)] == ["first"]
    assert [one.node for one in events if isinstance(one, StepSkipped)] == ["middle", "last"]


def test_what_was_made_without_a_failed_input_is_not_stored_under_the_recipe_s_name(toys: Toys) -> None:
    song = broken_and_sound(toys)
    toys.render(*song, targets=[MIXED])
    name = toys.bind(*song).step(SegmentId("song"), "mix").signature
    assert toys.index.find([name]) == {}
    again = toys.render(*song, targets=[MIXED])
    assert again.recalled[SegmentId("song"), "mix"] == "call"
    assert again.state == "partial"


def test_a_mix_inside_the_bundle_of_the_failure_goes_on_too(toys: Toys) -> None:
    nodes = [toys.node("fail", "bad"), toys.node("add", "good"), toys.node("mix"), toys.node("add", "last")]
    edges = ["bad.y > mix.audio", "good.y > mix.audio", "mix.audio > last.x"]
    song = segment("p", nodes, edges, at="good.x")
    song = song.with_operation(SetInput(port("bad.x"), encode(ramp(0))))
    result = toys.render(song, targets=[END])
    assert (result.state, result.skipped) == ("partial", {})
    np.testing.assert_array_equal(result.payloads[END], ramp(2))
    for node in ("mix", "last"):
        assert toys.index.find([toys.bind(song).step(SegmentId("p"), node).signature]) == {}


def test_each_skipped_step_names_the_failure_it_fell_with(toys: Toys) -> None:
    nodes = [toys.node("fail", "one"), toys.node("fail", "two"), toys.node("add", "after"), toys.node("join")]
    song = segment("p", nodes, ["two.y > after.x", "one.y > join.a", "after.y > join.b"], at="one.x")
    song = song.with_operation(SetInput(port("two.x"), encode(ramp(0))))
    result = toys.render(song, targets=[address("p", "join.y")])
    assert result.state == "failed"
    assert result.skipped == {("p", "after"): "p/two failed", ("p", "join"): "p/one failed"}


def test_a_segment_that_cannot_be_compiled_is_left_out_where_the_mix_can_spare_it(toys: Toys) -> None:
    bad = segment("b", [toys.node("add", "last", amonut=1)])
    result = toys.render(bad, chain(toys), mix_of(toys, END, address("b", "last.y")), targets=[MIXED])
    assert result.state == "partial"
    assert "unknown option 'amonut'; did you mean 'amount'?" in result.failed[SegmentId("b"), ""]
    np.testing.assert_array_equal(result.payloads[MIXED], ramp(3))


def test_a_segment_that_reads_one_that_cannot_be_rendered_cannot_either(toys: Toys) -> None:
    bad = segment("b", [toys.node("add", "last", amonut=1)])
    reader = Segment(
        SegmentId("r"), Graph.of([toys.node("add", "again")]), links={port("again.x"): (address("b", "last.y"),)}
    )
    result = toys.render(bad, reader, targets=[address("r", "again.y")])
    assert result.state == "failed"
    assert "b cannot be rendered" in result.failed[SegmentId("r"), ""]


def test_a_mix_of_mixes_starts_when_they_have_ended_whatever_the_order_given(toys: Toys) -> None:
    inner = replace(mix_of(toys, END), id=SegmentId("bus"))
    outer = mix_of(toys, address("bus", "mix.audio"), END)
    done = value(toys.render(outer, inner, chain(toys), targets=[MIXED]), MIXED)
    np.testing.assert_array_equal(done, 2 * ramp(3))


@pytest.mark.parametrize(
    "returned", [[1], (1, 2, 3), {"low": 1}, {"low": 1, "high": 2, "mid": 3}, np.zeros(2), "ab", None]
)
def test_too_few_too_many_missing_and_ambiguous_outputs_fail_the_step(returned: Any) -> None:
    odd = step("odd", lambda *_: returned, outputs=("low", "high"))
    with toy_farm(odd) as toys:
        result = toys.render(segment("p", [toys.node("odd")], at="odd.x"), targets=[address("p", "odd.low")])
    assert result.state == "failed"
    assert result.failed[SegmentId("p"), "odd"].startswith("p/odd: ")


def test_an_output_that_cannot_be_stored_fails_the_step_by_name() -> None:
    odd = step("odd", lambda *_: {"a": object()})
    with toy_farm(odd) as toys:
        result = toys.render(segment("p", [toys.node("odd")], at="odd.x"), targets=[address("p", "odd.y")])
    assert "output y cannot be stored" in result.failed[SegmentId("p"), "odd"]


# ---- the cache


@pytest.mark.parametrize("spoil", ["lose", "corrupt"])
def test_lost_and_corrupt_blobs_heal(toys: Toys, spoil: str) -> None:
    wanted = value(toys.render(chain(toys), targets=[END]))
    kept = toys.blobs._blobs
    if spoil == "lose":
        kept.clear()
    else:
        kept.update(dict.fromkeys(kept, b"spoilt"))
    np.testing.assert_array_equal(value(toys.render(chain(toys), targets=[END])), wanted)
    toys.render(chain(toys), targets=[END])
    assert toys.ran == []


def test_a_corrupt_intermediate_result_heals_in_the_middle_of_a_render(toys: Toys) -> None:
    song = chain(toys)
    toys.render(song, targets=[END])
    kept = toys.blobs._blobs
    kept[encode(ramp(2)).ref.digest] = b"spoilt"
    edited = song.with_operation(laid("offset", "middle.y", 1))
    assert value(toys.render(edited, targets=[END]))[0] == 4


def chance(seeded: bool) -> Any:
    takes = iter(range(1000))
    options = [Option(name="seed", type="int", default=0)] if seeded else []
    return step("chance", lambda i, o, c: i["x"] + next(takes), options=options, deterministic=False)  # noqa: ARG005


def test_chance_without_a_seed_is_never_stored_and_leaves_no_recipe_signature_behind() -> None:
    with toy_farm(chance(seeded=False)) as toys:
        nodes = [toys.node("chance"), toys.node("add", "last")]
        song = segment("p", nodes, ["chance.y > last.x"], at="chance.x")
        first = value(toys.render(song, targets=[END]))
        second = value(toys.render(song, targets=[END]))
        assert toys.ran == [("p", "chance"), ("p", "last")]
        assert second[0] == first[0] + 1
        for node in ("chance", "last"):
            assert toys.index.find([toys.bind(song).step(SegmentId("p"), node).signature]) == {}


def test_chance_with_a_seed_is_stored(toys: Toys) -> None:
    with toy_farm(chance(seeded=True)) as toys:
        song = segment("p", [toys.node("chance")], at="chance.x")
        toys.render(song, targets=[address("p", "chance.y")])
        toys.render(song, targets=[address("p", "chance.y")])
        assert toys.ran == []


def test_equal_computations_in_flight_run_once() -> None:
    under_way = threading.Semaphore(0)
    calls: list[int] = []

    def slow(inputs: Mapping[str, Any], options: Mapping[str, Any], context: StepContext) -> Any:  # noqa: ARG001
        calls.append(1)
        # Give the others every chance to come in: only one may be here, so nobody releases and the wait runs out.
        under_way.acquire(timeout=0.05)
        return inputs["x"] + 1

    with toy_farm(step("slow", slow), threads=4) as toys:
        twins = [segment(f"t{number}", [toys.node("slow")], at="slow.x") for number in range(4)]
        mix = mix_of(toys, *(address(one.id, "slow.y") for one in twins))
        result = toys.render(*twins, mix, targets=[MIXED])
    assert len(calls) == 1
    assert value(result, MIXED)[0] == 4


@pytest.mark.parametrize("threads", [1, 2, 3, 4])
def test_any_number_of_threads_gives_the_same_bits(threads: int) -> None:
    def song(toys: Toys) -> list[Segment]:
        phrases = [replace(forked(toys), id=SegmentId(f"p{number}")) for number in range(6)]
        starts = [
            one.with_operation(SetInput(port("first.x"), encode(np.sin(ramp(place)))))
            for place, one in enumerate(phrases)
        ]
        return [*starts, mix_of(toys, *(address(one.id, "join.y") for one in phrases))]

    def rendered(threads: int, *, serial: bool = False) -> bytes:
        with toy_farm(threads=threads, serial=serial) as toys:
            audio: Any = value(toys.render(*song(toys), targets=[MIXED]), MIXED)
            return bytes(audio.tobytes())

    assert rendered(threads) == rendered(1, serial=True)


def test_a_step_cannot_spoil_what_others_read() -> None:
    def spoil(kind: str, inputs: Mapping[str, Any], options: Any, context: StepContext) -> Any:  # noqa: ARG001
        if kind == "json":
            inputs["x"].append(99)
            return inputs["x"]
        with pytest.raises(ValueError, match="read-only"):
            inputs["x"][0] = 99
        return inputs["x"]

    make = step("make", lambda i, o, c: [1, 2])  # noqa: ARG005
    read = step("read", lambda i, o, c: i["x"])  # noqa: ARG005
    with toy_farm(make, read, *(step(kind, partial(spoil, kind)) for kind in ("json", "array"))) as toys:
        nodes = [toys.node(one) for one in ("make", "json", "read")]
        song = segment("p", nodes, ["make.y > json.x", "make.y > read.x"], at="make.x")
        result = toys.render(song, targets=[address("p", "json.y"), address("p", "read.y")])
        assert [*result.payloads.values()] == [[1, 2, 99], [1, 2]]
        song = segment("q", [toys.node("array")], at="array.x")
        assert toys.render(song, targets=[address("q", "array.y")]).state == "succeeded"


def test_a_step_may_go_on_writing_into_what_it_returned_and_into_its_options() -> None:
    buffer = np.zeros(FRAMES, dtype=np.float32)

    def reuse(inputs: Mapping[str, Any], options: Mapping[str, Any], context: StepContext) -> Any:  # noqa: ARG001
        buffer[:] = inputs["x"]
        options["amount"] = 5.0  # type: ignore[index]
        return buffer

    again = step("reuse", reuse, options=[Option(name="amount", type="float", default=1.0)])
    with toy_farm(again, threads=1) as toys:
        parts = [segment(name, [toys.node("reuse")], at="reuse.x", start=start) for name, start in (("a", 0), ("b", 9))]
        targets = [address("a", "reuse.y"), address("b", "reuse.y")]
        result = toys.render(*parts, targets=targets)
        assert [result.payloads[one][0] for one in targets] == [0, 9]
        toys.render(*parts, targets=targets)
        assert toys.ran == []


def test_a_fresh_result_is_laid_out_like_a_recalled_one() -> None:
    turned = step("turned", lambda i, o, c: i["x"].reshape(20, -1).T)  # noqa: ARG005
    seen: list[bool] = []
    look = step("look", lambda i, o, c: seen.append(bool(i["x"].flags.c_contiguous)))  # noqa: ARG005
    with toy_farm(turned, look) as toys:
        song = segment("p", [toys.node("turned"), toys.node("look")], ["turned.y > look.x"], at="turned.x")
        toys.render(song, targets=[address("p", "look.y")])
    assert seen == [True]


# ---- telling


def changes(toys: Toys) -> Iterator[tuple[Segment, str, str]]:
    song = chain(toys)
    yield song.with_operation(SetInput(port("first.x"), encode(ramp(1)))), "first", "input x changed"
    yield song.with_operation(laid("offset", "first.y", 1)), "middle", "first → x: the edit laid on it changed"
    options = song.graph.update_node(toys.node("add", "middle", amount=4.0))
    yield replace(song, graph=options), "middle", "option amount changed 1.0 → 4.0"
    yield replace(song, graph=options), "last", "middle → x changed"


def test_every_step_that_runs_says_why(toys: Toys) -> None:
    song = chain(toys)
    assert set(toys.render(song, targets=[END]).ran.values()) == {"never rendered before"}
    ledger = toys.ledger(song)
    for edited, node, reason in changes(toys):
        assert toys.plan(edited, target=END, ledger=ledger).reasons[SegmentId("p"), node] == reason
    toys.index._records.clear()
    reasons = set(toys.plan(song, target=END, ledger=ledger).reasons.values())
    assert reasons == {"nothing changed, but its result is no longer in the cache"}


def test_a_listener_that_raises_does_no_harm_and_hears_progress() -> None:
    def talk(inputs: Mapping[str, Any], options: Mapping[str, Any], context: StepContext) -> Any:  # noqa: ARG001
        context.report(50, "halfway")
        return inputs["x"]

    heard: list[StepProgressed] = []

    def listen(event: object) -> None:
        if isinstance(event, StepProgressed):
            heard.append(event)
        raise RuntimeError("I am a bad listener")

    with toy_farm(step("talk", talk)) as toys:
        song = segment("p", [toys.node("talk")], at="talk.x")
        with toys.log.heard_by(listen):
            value(toys.render(song, targets=[address("p", "talk.y")]), address("p", "talk.y"))
    assert [(one.percent, one.text) for one in heard] == [(50, "halfway")]


def test_a_listener_that_never_finishes_holds_up_no_step() -> None:
    released = threading.Event()

    def dawdle(event: object) -> None:  # noqa: ARG001
        released.wait()

    with toy_farm(step("talk", lambda inputs, options, context: inputs["x"])) as toys:  # noqa: ARG005
        song = segment("p", [toys.node("talk")], at="talk.x")
        with toys.log.heard_by(dawdle):
            value(toys.render(song, targets=[address("p", "talk.y")]), address("p", "talk.y"))
            # Only now that the render is over may the listener go on.
            released.set()


def test_a_target_that_does_not_exist_is_refused_with_a_hint(toys: Toys) -> None:
    song = chain(toys)
    for wrong, hint in (("last.z", "did you mean 'last.y'"), ("lost.y", "did you mean 'last.y'")):
        with pytest.raises(Exception, match=hint):
            toys.render(song, targets=[address("p", wrong)])
