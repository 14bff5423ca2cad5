"""An order plans as the song it was made of, in every state of the cache."""

from __future__ import annotations

import json
import random
import zlib
from dataclasses import replace

import pytest
from tests.scenario.test_barriers import song
from tests.scenario.toy_farm import MIXED, ramp, toy_farm

from quincunx_orchestrator.core.history import RemoveNode
from quincunx_orchestrator.core.operations import SetInput
from quincunx_orchestrator.core.planner import plan_render, recall_from
from quincunx_orchestrator.core.segment_names import SegmentNames
from quincunx_orchestrator.farm.order import order_from_bytes, order_to_bytes, payload_digests
from quincunx_orchestrator.farm.order_form import names_from_bytes
from quincunx_orchestrator.farm.order_rows import RowReader, RowWriter
from quincunx_shared.farm.wire import BadMessage
from quincunx_shared.names import PortKey, SegmentId
from quincunx_shared.payload import encode
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
        names = SegmentNames(
            {SegmentId("p1"): "Alto 9 ah"}, {SegmentId("p1"): ("Alto 9:3 「ah」",)}, {"d" * 64: "/voices/a b/dur.onnx"}
        )
        content = order_to_bytes(bound, [MIXED], names=names)
        order = order_from_bytes(content)
        expected = recall_from(plan_render(bound, [MIXED]), recall.find)
        assert recall_from(plan_render(order.song, order.targets), recall.find) == expected
        assert order.names == names_from_bytes(content) == names
        payloads = [one.ref for name in bound.segments for one in bound.payloads(name)]
        assert payload_digests(order) == {ref.digest for ref in payloads if ref.inline is None}


def test_an_error_of_a_worker_is_told_by_the_names_that_people_know() -> None:
    names = SegmentNames({}, {SegmentId("p1"): ("Alto 9:3 「ah」",)}, {"d" * 64: "/voices/a b/dur.onnx"})
    assert names.in_song(SegmentId("p1"), f"/cache/banks/dd/{'d' * 64}: no model") == "/voices/a b/dur.onnx: no model"
    unknown = f"/cache/banks/ee/{'e' * 64}: no model"
    assert names.in_song(SegmentId("p1"), unknown) == unknown
    assert names.in_song(SegmentId("p1"), "notes[0].lyric: what?") == "Alto 9:3 「ah」: what?"
    assert names.in_song(SegmentId("p1"), "notes[7]: what?") == names.in_song(SegmentId("p2"), "notes[7]: what?")


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


def test_rows_that_were_written_and_read_before_are_taken_over() -> None:
    with toy_farm() as toys:
        phrases = song(toys)
        writer, reader = RowWriter(), RowReader()
        bound = toys.bind(*phrases)
        first = order_from_bytes(order_to_bytes(bound, [MIXED], rows=writer), reader)
        edited = toys.bind(phrases[0].with_operation(SetInput(PortKey("first", "x"), encode(ramp() * 2))), *phrases[1:])
        mixed = replace(bound, segments={**bound.segments, phrases[0].id: edited.segments[phrases[0].id]})
        content = order_to_bytes(mixed, [MIXED], rows=writer)
        second = order_from_bytes(content, reader)
        assert second == order_from_bytes(order_to_bytes(mixed, [MIXED]))
        same = [name for name, one in second.song.segments.items() if one is first.song.segments[name]]
        assert same == [name for name in bound.segments if name != phrases[0].id]


def test_no_order_gives_another_meaning_to_the_rows_of_others() -> None:
    with toy_farm() as toys:
        form, texts, steps, *rest = json.loads(zlib.decompress(order_to_bytes(toys.bind(*song(toys)), [MIXED])))
        name = next(iter(steps))
        steps[name][0], steps[name][1] = next(iter(reversed(steps.values())))[0], "another"
        with pytest.raises(BadMessage, match="a step that is another"):
            order_from_bytes(zlib.compress(json.dumps([form, texts, steps, *rest]).encode()))


def test_a_reader_forgets_what_it_has_not_read_for_long() -> None:
    with toy_farm() as toys:
        reader = RowReader(most=1)
        rows, steps = RowWriter().write(toys.bind(*song(toys)).segments)
        first = reader.read(rows, steps)
        assert len(rows) > 3
        assert reader.read(rows, steps) == first
        assert not any(reader.read(rows[:1], steps)[name] is one for name, one in first.items() if name in rows[0])


@pytest.mark.parametrize("content", [b"", b"\x80\x04K\x01.", zlib.compress(b"[]"), zlib.compress(b"[99,1,1]")])
def test_what_is_no_order_is_refused(content: bytes) -> None:
    with pytest.raises(BadMessage):
        order_from_bytes(content)
    with pytest.raises(BadMessage):
        names_from_bytes(content)
