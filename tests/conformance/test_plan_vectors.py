"""The vectors of plan.json: what is bound to what, what has to run, and what stays."""

from __future__ import annotations

from typing import Any

import pytest
from tests.conformance import vectors
from tests.conformance.running import Workplace, shown
from tests.conformance.vectors import named

from quincunx_orchestrator.core.binding import BoundSong
from quincunx_orchestrator.core.planner import Plan, plan_render, recall_from
from quincunx_orchestrator.core.segment import Segment
from quincunx_shared.intervention import Intervention
from quincunx_shared.names import SegmentId, Signature
from quincunx_shared.payload import ParamRef, decode
from quincunx_shared.recipe import NULL, Source

VECTORS = vectors.load("plan")
STEPS = VECTORS["steps"]


def segments_of(told: Any) -> list[Segment]:
    return [vectors.segment(one, STEPS) for one in told]


def results(song: BoundSong, known: Any) -> dict[Signature, tuple[ParamRef, ...]]:
    """Results for the steps that are known; all of them with `all`."""
    steps = {f"{name}/{node}": step for name, one in song.segments.items() for node, step in one.steps.items()}
    chosen = steps if known == "all" else known
    return {steps[name].signature: (NULL,) * len(steps[name].compiled.outputs) for name in chosen}


def plan(song: BoundSong, targets: list[str], known: dict[Signature, tuple[ParamRef, ...]]) -> Plan:
    planning = plan_render(song, [vectors.address(one) for one in targets])
    return recall_from(planning, lambda asked: {one: known[one] for one in asked if one in known})


@pytest.mark.parametrize("vector", named(VECTORS, "plans"))
def test_a_plan_runs_what_is_needed_and_unknown(vector: Any) -> None:
    segments = segments_of(vector["segments"])
    song = Workplace(STEPS, segments).bind(segments)
    found = plan(song, vector["targets"], results(song, vector["known"]))

    assert [
        [f"{one.segment} {one.recipe}: {' '.join(task.step.id for task in one.tasks)}" for one in stage]
        for stage in found.stages
    ] == vector["stages"]
    assert sorted(f"{segment}/{node}" for segment, node in found.recalled) == vector["recalled"]
    assert (found.covered, found.unneeded) == (vector["covered"], vector["unneeded"])
    assert sorted(map(str, found.board)) == vector["board"]


@pytest.mark.parametrize("vector", named(VECTORS, "edits"))
def test_after_an_edit_this_runs(vector: Any) -> None:
    before, after = segments_of(vector["before"]), segments_of(vector["after"])
    place = Workplace(STEPS, [*before, *after])
    known = results(place.bind(before), "all")
    runs = plan(place.bind(after), vector["targets"], known).to_run
    assert sorted(f"{segment}/{node}" for segment, node in runs) == vector["runs"]


@pytest.mark.parametrize("vector", named(VECTORS, "errors"))
def test_an_error_is_its_segment_s_own(vector: Any) -> None:
    segments = segments_of(vector["segments"])
    song = Workplace(STEPS, segments).bind(segments)
    errors = song.errors()

    assert errors.keys() == vector["errors"].keys()
    for name, (kind, *words) in vector["errors"].items():
        error = errors[SegmentId(name)]
        assert type(error).__name__ == kind
        assert all(word in str(error) for word in words), error
    if "runs" in vector:
        runs = plan(song, vector["targets"], {}).to_run
        assert sorted(f"{segment}/{node}" for segment, node in runs) == vector["runs"]


@pytest.mark.parametrize("vector", named(VECTORS, "sources"))
def test_a_step_is_bound_to_these_sources(vector: Any) -> None:
    segments = segments_of(vector["segments"])
    song = Workplace(STEPS, segments).bind(segments)
    for name, expected in vector["sources"].items():
        step = song.step(*split(name))
        found = zip(step.compiled.step.feeds, step.sources, strict=True)
        assert {feed.port: [told(one) for one in sources] for feed, sources in found} == expected, name


def split(name: str) -> tuple[SegmentId, str]:
    segment, _, node = name.partition("/")
    return SegmentId(segment), node


def told(source: Source) -> Any:
    laid = [told_intervention(one) for one in source.interventions]
    if source.address is not None:
        return " + ".join([str(source.address), *laid])
    return {"value": value_of(source.value or NULL), **({"laid": laid} if laid else {})}


def told_intervention(one: Intervention) -> str:
    return f"{one.kind} {value_of(one.operand)}"


def value_of(ref: ParamRef) -> Any:
    return shown(decode(ref, ref.inline or b""))


@pytest.mark.parametrize("vector", named(VECTORS, "bound_again"))
def test_only_what_did_not_change_keeps_its_binding(vector: Any) -> None:
    segments = segments_of(vector["segments"])
    place = Workplace(STEPS, segments)
    before = place.bind(segments)
    edit = vector["edit"]
    changed = [
        vectors.edited(one, [edit["operation"]], STEPS) if one.id == edit["segment"] else one for one in segments
    ]
    after = place.bind(changed, before)

    assert [name for name, one in after.segments.items() if one is before.segments[name]] == vector["kept"]
    for name in map(SegmentId, vector.get("same_recipes", [])):
        assert after.segments[name].compiled is before.segments[name].compiled
    fresh = Workplace(STEPS, changed).bind(changed)
    for name, one in after.segments.items():
        assert {node: step.signature for node, step in one.steps.items()} == {
            node: step.signature for node, step in fresh.segments[name].steps.items()
        }
