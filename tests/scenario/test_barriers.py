"""Barrier modes: the same sound in every mode; only who waits for whom differs."""

from __future__ import annotations

import numpy as np
import pytest
from tests.scenario.toy_farm import MIXED, Toys, address, mix_of, segment, toy_farm

from quincunx_orchestrator.core.lanes import Barrier, lanes_of
from quincunx_orchestrator.core.segment import Segment
from quincunx_shared.events import StageEnded, StageStarted
from quincunx_shared.recipe import Bundle

MODES = (Barrier("strict"), Barrier("wave", 2), Barrier("wave", 3), Barrier("segment"))
NAMES = ("p1", "p2", "p3", "p4", "p5")


def song(toys: Toys, *, failing: str = "") -> list[Segment]:
    """Five phrases of two stages each, and the mix of all."""
    phrases = []
    for number, name in enumerate(NAMES):
        last = "fail" if name == failing else "add"
        one = segment(
            name,
            [toys.node("add", "first"), toys.node(last, "last")],
            ["first.y > last.x"],
            at="first.x",
            start=10 * number,
        )
        phrases.append(Segment(one.id, one.graph, one.inputs, colours={"first": "cpu", "last": "gpu"}))
    return [*phrases, mix_of(toys, *(address(name, "last.y") for name in NAMES))]


@pytest.mark.parametrize("barrier", MODES, ids=lambda one: f"{one.mode}{one.window}")
def test_every_mode_sounds_the_same(barrier: Barrier) -> None:
    with toy_farm() as toys:
        expected = toys.render(*song(toys), targets=[MIXED]).payloads[MIXED]
    with toy_farm(barrier=barrier) as toys:
        result = toys.render(*song(toys), targets=[MIXED])
        assert np.array_equal(result.payloads[MIXED], expected)
        assert len(toys.ran) == 11
        assert toys.render(*song(toys), targets=[MIXED]).ran == {}


@pytest.mark.parametrize("barrier", MODES, ids=lambda one: f"{one.mode}{one.window}")
def test_a_phrase_that_fails_falls_alone_in_every_mode(barrier: Barrier) -> None:
    with toy_farm(barrier=barrier) as toys:
        result = toys.render(*song(toys, failing="p3"), targets=[MIXED])
        assert result.state == "partial"
        assert list(result.failed) == [("p3", "last")]
        assert len(toys.ran) == 10


def test_a_wave_is_through_before_the_song_has_begun_its_second_stage() -> None:
    with toy_farm(barrier=Barrier("wave", 2), serial=True) as toys:
        toys.render(*song(toys), targets=[MIXED])
        told = [event for event in toys.log.since(0) if isinstance(event, StageStarted | StageEnded)]
        # Three waves of two stages, and the mix.
        assert sum(isinstance(event, StageStarted) for event in told) == 7


@pytest.mark.parametrize("barrier", MODES, ids=lambda one: f"{one.mode}{one.window}")
def test_every_bundle_is_in_one_place_and_after_what_it_reads(barrier: Barrier) -> None:
    with toy_farm() as toys:
        stages = toys.plan(*song(toys), target=MIXED).stages
    lanes = lanes_of(stages, barrier)

    def ends_of(lane: tuple[tuple[Bundle, ...], ...]) -> list[tuple[str, int]]:
        return [(bundle.segment, bundle.level) for stage in lane for bundle in stage]

    for lane in (*lanes.abreast, lanes.after):
        levels = [stage[0].level for stage in lane]
        assert levels == sorted(levels)
    placed = [one for lane in (*lanes.abreast, lanes.after) for one in ends_of(lane)]
    assert sorted(placed) == sorted((bundle.segment, bundle.level) for stage in stages for bundle in stage)
    assert [segment for segment, _ in ends_of(lanes.after)][-1] == "song"
