"""What crosses the wire comes back as it was; what is something else is refused."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quincunx_shared import events
from quincunx_shared.farm.wire import (
    BadMessage,
    bundle_from_json,
    bundle_to_json,
    event_from_json,
    event_to_json,
    outcome_from_json,
    outcome_to_json,
)
from quincunx_shared.intervention import KIND_ORDER, Intervention
from quincunx_shared.names import Address, Digest, PortKey, RenderId, SegmentId, Signature
from quincunx_shared.outcome import BundleOutcome
from quincunx_shared.payload import ParamRef
from quincunx_shared.recipe import Bundle, Feed, RecipeStep, Source, Task

TEXTS = st.text(max_size=8)
KEYS = st.builds(PortKey, TEXTS, TEXTS)
ADDRESSES = st.builds(Address, TEXTS.map(SegmentId), KEYS)
DIGESTS = st.binary(min_size=32, max_size=32).map(lambda raw: Digest(raw.hex()))
REFS = st.builds(
    ParamRef,
    DIGESTS,
    st.sampled_from(("json", "array", "bytes")),
    st.integers(0, 2**50),
    st.lists(st.integers(0, 9), max_size=3).map(tuple),
    st.sampled_from(("", "<f4")),
    st.none() | st.binary(max_size=20),
)
LAID = st.builds(
    Intervention,
    KEYS,
    st.sampled_from(KIND_ORDER),
    REFS,
    st.none() | REFS,
    TEXTS,
    st.none() | KEYS,
    st.none() | DIGESTS,
)
SOURCES = st.builds(Source, st.none() | ADDRESSES, st.none() | REFS, st.lists(LAID, max_size=2).map(tuple))
FEEDS = st.builds(Feed, TEXTS, st.lists(KEYS, max_size=2).map(tuple), st.booleans(), st.booleans())
OPTIONS = st.dictionaries(TEXTS, st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS)
STEPS = st.builds(
    RecipeStep, TEXTS, TEXTS, OPTIONS, st.lists(FEEDS, max_size=2).map(tuple), st.tuples(TEXTS), TEXTS, TEXTS
)
TASKS = st.builds(
    Task,
    STEPS,
    DIGESTS.map(Signature),
    st.lists(st.lists(SOURCES, max_size=2).map(tuple), max_size=2).map(tuple),
    TEXTS,
    st.booleans(),
)
BUNDLES = st.builds(
    Bundle,
    TEXTS.map(SegmentId),
    TEXTS,
    st.integers(0, 99),
    TEXTS,
    st.lists(TASKS, max_size=2).map(tuple),
    st.lists(KEYS, max_size=2).map(tuple),
)
EVENTS = st.one_of(
    st.builds(events.StepRan, TEXTS.map(SegmentId), TEXTS, TEXTS, st.floats(0, 9)),
    st.builds(events.StepProgressed, TEXTS.map(SegmentId), TEXTS, st.floats(0, 100), TEXTS),
    st.builds(events.StageStarted, TEXTS.map(RenderId), st.integers(0, 9), st.integers(0, 9)),
    st.builds(events.RenderEnded, TEXTS.map(RenderId), TEXTS),
)


@given(BUNDLES)
def test_a_bundle_comes_back_as_it_was(bundle: Bundle) -> None:
    read = bundle_from_json(bundle_to_json(bundle))
    assert read == bundle
    # Equality of references does not look at the bytes they carry.
    carried = [source.value.inline for task in read.tasks for one in task.inputs for source in one if source.value]
    assert carried == [
        source.value.inline for task in bundle.tasks for one in task.inputs for source in one if source.value
    ]


@given(BUNDLES, st.dictionaries(ADDRESSES, REFS, max_size=2), st.lists(TEXTS), st.dictionaries(TEXTS, TEXTS))
def test_an_outcome_comes_back_as_it_was(
    bundle: Bundle, exports: dict[Address, ParamRef], nodes: list[str], told: dict[str, str]
) -> None:
    outcome = BundleOutcome(
        bundle, nodes, {}, told, told, set(nodes), exports, {ref.digest for ref in exports.values()}
    )
    assert outcome_from_json(bundle, outcome_to_json(outcome)) == outcome


@given(EVENTS)
def test_an_event_comes_back_as_it_was(event: events.Event) -> None:
    assert event_from_json(event_to_json(event)) == event


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[1]", b"\x80\x04K\x01.", b"[" * 100_000, b'{"event":"Evil"}', b"null"]
)
def test_anything_else_is_refused(content: bytes) -> None:
    with pytest.raises(BadMessage):
        bundle_from_json(content)
    with pytest.raises(BadMessage):
        event_from_json(content)


def test_every_event_can_travel() -> None:
    for kind in events.Event.__args__:
        assert dataclasses.is_dataclass(kind)
