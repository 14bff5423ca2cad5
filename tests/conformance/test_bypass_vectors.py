"""The vectors of bypass.json: what flows past a node that is switched off."""

from __future__ import annotations

from typing import Any

import pytest
from tests.conformance import vectors
from tests.conformance.running import Workplace, shown
from tests.conformance.vectors import named

from quincunx_shared.errors import BadInput
from quincunx_shared.names import SegmentId

VECTORS = vectors.load("bypass")
STEPS = VECTORS["steps"]


@pytest.mark.parametrize("vector", named(VECTORS, "seen"))
def test_the_reader_behind_a_bypassed_node_sees_this(vector: Any) -> None:
    segment = vectors.segment(vector, STEPS)
    place = Workplace(STEPS, [segment])
    rendered = place.render(place.bind([segment]), [vectors.address(f"s/{vector.get('reader', 'r')}.out")])

    told = vector["saw"]
    expected = [shown(vectors.payload(one)) for one in told] if isinstance(told, list) else shown(vectors.payload(told))
    assert place.saw[-1][1] == {"in": expected}
    assert sorted(rendered.ran) == [f"s/{node}" for node in vector["ran"]]


@pytest.mark.parametrize("vector", named(VECTORS, "linked"))
def test_links_between_segments_flow_through_bypassed_nodes(vector: Any) -> None:
    segments = [vectors.segment(one, STEPS) for one in vector["segments"]]
    place = Workplace(STEPS, segments)
    song = place.bind(segments)
    if "told" in vector:
        error = str(song.errors()[SegmentId("song")])
        assert all(word in error for word in vector["told"]), error
        return

    rendered = place.render(song, [vectors.address("song/r.out")])
    assert not rendered.failed
    assert place.saw[-1][1] == {"in": shown(vectors.payload(vector["saw"]))}
    assert rendered.ran == vector["ran"]


@pytest.mark.parametrize("vector", named(VECTORS, "targets"))
def test_a_bypassed_node_may_be_a_target(vector: Any) -> None:
    segments = [vectors.segment(one, STEPS) for one in vector["segments"]]
    place = Workplace(STEPS, segments)
    if "told" in vector:
        with pytest.raises(BadInput) as refused:
            place.render(place.bind(segments), [vectors.address(vector["target"])])
        assert all(word in str(refused.value) for word in vector["told"]), refused.value
        return

    rendered = place.render(place.bind(segments), [vectors.address(vector["target"])])
    assert [*rendered.values.values()] == [shown(vectors.payload(vector["value"]))]


@pytest.mark.parametrize("vector", named(VECTORS, "refused"))
def test_a_rule_that_cannot_hold_is_refused(vector: Any) -> None:
    segment = vectors.segment(vector, STEPS)
    error = str(Workplace(STEPS, [segment]).bind([segment]).errors()[segment.id])
    assert all(word in error for word in vector["told"]), error


@pytest.mark.parametrize("vector", named(VECTORS, "same"))
def test_bypass_comes_before_signatures(vector: Any) -> None:
    left, right = (vectors.segment({"graph": vector[side]}, STEPS) for side in ("left", "right"))
    place = Workplace(STEPS, [left, right])
    names = [place.bind([one]).step(one.id, vector["step"]).signature for one in (left, right)]
    assert (names[0] == names[1]) == vector["same"]
