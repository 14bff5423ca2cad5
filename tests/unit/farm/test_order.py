"""An order plans as the song it was made of, in every state of the cache."""

from __future__ import annotations

import random
import zlib

import pytest
from tests.scenario.test_barriers import song
from tests.scenario.toy_farm import MIXED, toy_farm

from quincunx_orchestrator.core.history import RemoveNode
from quincunx_orchestrator.core.planner import plan_render, recall_from
from quincunx_orchestrator.core.segment_names import SegmentNames
from quincunx_orchestrator.farm.order import names_from_bytes, order_from_bytes, order_to_bytes, payload_digests
from quincunx_shared.farm.wire import BadMessage
from quincunx_shared.names import SegmentId
from quincunx_shared.recall import Recall


@pytest.mark.parametrize("seed", range(8))
def test_an_order_plans_as_the_song_does_whatever_is_known(seed: int) -> None:
    with toy_farm() as toys:
        bound = toys.bind(*song(toys))
        toys.render(*song(toys), targets=[MIXED])
        signatures = [step.signature for one in bound.segments.values() for step in one.steps.values()]
        draw = random.Random(seed)
        toys.index.forget(draw.sample(signatures, seed))
        recall = Recall(toys.index, toys.blobs)
        names = SegmentNames({SegmentId("p1"): "Alto 9 ah"}, {SegmentId("p1"): ("Alto 9:3 「ah」",)})
        content = order_to_bytes(bound, [MIXED], names=names)
        order = order_from_bytes(content)
        expected = recall_from(plan_render(bound, [MIXED]), recall.find)
        assert recall_from(plan_render(order.song, order.targets), recall.find) == expected
        assert order.names == names_from_bytes(content) == names
        payloads = [one.ref for name in bound.segments for one in bound.payloads(name)]
        assert payload_digests(order) == {ref.digest for ref in payloads if ref.inline is None}


def test_reasons_travel_and_segments_that_cannot_be_rendered_are_named() -> None:
    with toy_farm() as toys:
        phrases = song(toys)
        bad = phrases[0].with_operation(RemoveNode("first"))
        bound = toys.bind(bad, *phrases[1:])
        order = order_from_bytes(
            order_to_bytes(bound, [MIXED], reasons={(SegmentId("p2"), "first"): "the pitch changed"})
        )
        assert order.reasons == {("p2", "first"): "the pitch changed"}
        told = {name: str(error) for name, error in order.song.errors().items()}
        assert list(told) == ["p1"]
        assert told == {name: str(error) for name, error in bound.errors().items()}


@pytest.mark.parametrize("content", [b"", b"\x80\x04K\x01.", zlib.compress(b"[]"), zlib.compress(b"[99,1,1,1,1,1]")])
def test_what_is_no_order_is_refused(content: bytes) -> None:
    with pytest.raises(BadMessage):
        order_from_bytes(content)
    with pytest.raises(BadMessage):
        names_from_bytes(content)
