"""The vectors of intervention.json: what consumers see, whom it reaches, whom it spares, and who notices."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.conformance import vectors
from tests.conformance.running import Workplace, every_output, shown
from tests.conformance.vectors import named

from quincunx_orchestrator.core.operations import Intervene
from quincunx_orchestrator.core.segment import Segment
from quincunx_shared.payload import ParamRef, decode

VECTORS = vectors.load("intervention")
STEPS = VECTORS["steps"]


def workplace(vector: Any) -> tuple[Segment, Workplace]:
    segment = vectors.segment(vector, STEPS)
    return segment, Workplace(STEPS, [segment])


@pytest.mark.parametrize("vector", named(VECTORS, "seen"))
def test_a_consumer_sees_this(vector: Any) -> None:
    segment, place = workplace(vector)
    song = place.bind([segment])
    if "error" in vector:
        assert all(word in str(song.errors()[segment.id]) for word in vector["error"])
        return

    rendered = place.render(song, [vectors.address(vector["target"])])
    assert rendered.failed.keys() == vector.get("failed", {}).keys()
    for node, words in vector.get("failed", {}).items():
        assert all(word in rendered.failed[node] for word in words), rendered.failed[node]
    if "failed" not in vector:
        step, inputs, _ = place.saw[-1]
        assert step == vector.get("step", "read")
        assert inputs == {"in": shown(vectors.payload(vector["saw"]))}
    assert sorted(rendered.ran) == sorted(vector.get("ran", rendered.ran))


@pytest.mark.parametrize("vector", named(VECTORS, "scopes"))
def test_an_intervention_reaches_these_consumers(vector: Any) -> None:
    segment, place = workplace(vector)
    rendered = place.render(place.bind([segment]), [vectors.address("s/r.out"), vectors.address("s/q.out")])

    saw = {step: inputs["in"] for step, inputs, _ in place.saw if step in vector["saw"]}
    assert saw == {step: shown(vectors.payload(one)) for step, one in vector["saw"].items()}
    assert sorted(rendered.ran) == sorted(vector.get("ran", rendered.ran))
    conflicts = [[str(one.target), str(one.consumer), one.kind] for one in segment.effective.conflicts()]
    assert conflicts == vector["conflicts"]


@pytest.mark.parametrize("vector", named(VECTORS, "spared"))
def test_an_override_spares_these_steps(vector: Any) -> None:
    segment, place = workplace(vector)
    rendered = place.render(place.bind([segment]), [vectors.address(one) for one in vector["targets"]])

    assert sorted(rendered.ran) == sorted(vector["ran"])
    saw = {step: inputs for step, inputs, _ in place.saw}
    assert all(saw[step] == inputs for step, inputs in vector.get("saw", {}).items())


@pytest.mark.parametrize("vector", named(VECTORS, "drawn_on"))
def test_an_override_knows_the_output_it_was_drawn_on(vector: Any) -> None:
    plain = vectors.segment({"graph": vector["graph"]}, STEPS)
    place = Workplace(STEPS, [plain])
    if vector.get("rendered", True):
        place.render(place.bind([plain]), every_output([plain]))
    edited = vectors.edited(plain, [], STEPS)
    for told in vector["edits"]:
        edited = edited.with_operation(drawn(vectors.operation(told), vector["drawn_on"]))

    plan = place.plan(place.bind([edited]), [vectors.address("s/r.out")])
    conflicts = [{"producer": str(one.drawn_on.producer), "found": found(one.found)} for one in plan.conflicts]
    assert conflicts == vector["conflicts"]


def drawn(operation: Any, told: Any) -> Any:
    if not isinstance(operation, Intervene) or told is None:
        return operation
    digest = vectors.encoded(told).ref.digest
    return replace(operation, intervention=replace(operation.intervention, drawn_on=digest))


def found(ref: ParamRef | None) -> Any:
    return "unknown" if ref is None else shown(decode(ref, ref.inline or b""))


@pytest.mark.parametrize("vector", named(VECTORS, "signatures"))
def test_these_signatures_change(vector: Any) -> None:
    plain = vectors.segment({"graph": vector["graph"]}, STEPS)
    edited = vectors.edited(plain, vector["edits"], STEPS)
    place = Workplace(STEPS, [plain])
    before, after = (place.bind([one]).segments[plain.id].steps for one in (plain, edited))

    changed = [name for name, step in after.items() if step.signature != before[name].signature]
    assert sorted(changed) == sorted(vector["changed"])
