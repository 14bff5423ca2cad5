"""The vectors of history.json: what edits come to, undo and redo, and snapshots."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.conformance import vectors
from tests.conformance.vectors import named

from quincunx_orchestrator.core.history import Effective, History, changes_topology

VECTORS = vectors.load("history")


def assert_is(effective: Effective, expected: Any) -> None:
    assert list(effective.graph.nodes) == expected["nodes"]
    assert sorted(effective.graph.edges) == sorted(map(vectors.edge, expected["edges"]))
    assert effective.inputs == {vectors.port(key): vectors.encoded(one) for key, one in expected["inputs"].items()}
    assert effective.interventions == tuple(map(vectors.intervention, expected["interventions"]))


@pytest.mark.parametrize("vector", named(VECTORS, "folds"))
def test_edits_come_to_this(vector: Any) -> None:
    base = vectors.segment({"graph": vector["graph"], "inputs": vector.get("given", {})})
    effective = vectors.edited(base, vector["edits"]).effective

    assert_is(effective, vector["expect"])
    for name, options in vector.get("options", {}).items():
        assert effective.graph.nodes[name].options == options
    assert base.graph == vectors.graph(vector["graph"])


@pytest.mark.parametrize("vector", named(VECTORS, "folds"))
def test_every_payload_an_intervention_refers_to_is_at_hand(vector: Any) -> None:
    base = vectors.segment({"graph": vector["graph"]})
    effective = vectors.edited(base, vector["edits"]).effective
    wanted = {ref.digest for one in effective.interventions for ref in (one.operand, one.user) if ref is not None}
    assert {payload.ref.digest for payload in effective.payloads} == wanted


@pytest.mark.parametrize("vector", named(VECTORS, "walks"))
def test_undo_and_redo_return_the_operation(vector: Any) -> None:
    operations = [vectors.operation(one) for one in vector["operations"]]
    history, returned = History(), []
    for move in vector["moves"]:
        if move.startswith("do:"):
            history = history.push(operations[int(move[3:])])
            continue
        history, operation = history.undo() if move == "undo" else history.redo()
        returned.append(next((at for at, one in enumerate(operations) if one is operation), None))

    assert returned == vector["returned"]
    assert list(history.operations()) == [operations[at] for at in vector["done"]]
    redoable = 0
    while (step := history.redo())[1] is not None:
        history, redoable = step[0], redoable + 1
    assert redoable == vector["redoable"]


@pytest.mark.parametrize("vector", named(VECTORS, "topology"))
def test_an_operation_tells_whether_the_topology_changed(vector: Any) -> None:
    assert changes_topology(vectors.operation(vector["operation"])) == vector["changes"]


@pytest.mark.parametrize("vector", named(VECTORS, "snapshots"))
def test_a_snapshot_collapses_the_history(vector: Any) -> None:
    before = vectors.edited(vectors.segment({"graph": vector["graph"]}), vector["edits"])
    taken = before.snapshot()

    assert taken.history == History()
    assert replace(taken.effective, strangers=()) == replace(before.effective, strangers=())
    assert_is(vectors.edited(taken, vector["then"]).effective, vector["expect"])
