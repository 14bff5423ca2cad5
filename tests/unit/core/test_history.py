"""The laws of histories, and interventions that do not care for the order of the edits."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.core.drawing import interventions, operations

from quincunx_orchestrator.core.graph import Graph, Node
from quincunx_orchestrator.core.history import History, fold
from quincunx_orchestrator.core.operations import Batch, Intervene, Operation, changes_topology
from quincunx_shared.intervention import Intervention, in_order_of_application
from quincunx_shared.names import PortKey

BASE = Graph.of(Node(name, inputs=("x",), outputs=("y",)) for name in "ab")

EDITS = st.lists(operations(), max_size=8)


def done(edits: list[Operation]) -> History:
    history = History()
    for one in edits:
        history = history.push(one)
    return history


@given(EDITS, operations())
def test_undo_takes_the_last_operation_back_and_redo_brings_it_again(edits: list[Operation], last: Operation) -> None:
    before = done(edits)
    after = before.push(last)
    undone, returned = after.undo()
    assert returned is last
    assert undone.operations() == before.operations()
    assert fold(BASE, undone) == fold(BASE, before)
    redone, returned = undone.redo()
    assert returned is last
    assert redone == after


@given(EDITS)
def test_undoing_everything_leads_to_the_base_and_redoing_everything_back(edits: list[Operation]) -> None:
    history = done(edits)
    walked = history
    for _ in edits:
        walked, _ = walked.undo()
    assert walked.operations() == ()
    assert fold(BASE, walked).graph is BASE
    assert walked.undo() == (walked, None)
    for _ in edits:
        walked, _ = walked.redo()
    assert walked == history
    assert walked.redo() == (walked, None)


@given(EDITS, operations())
def test_a_push_forgets_what_was_undone(edits: list[Operation], last: Operation) -> None:
    history, _ = done(edits).undo()
    pushed = history.push(last)
    assert pushed.redo() == (pushed, None)


@given(EDITS)
def test_a_batch_folds_like_its_operations_one_by_one(edits: list[Operation]) -> None:
    assert fold(BASE, History().push(Batch(tuple(edits)))) == fold(BASE, done(edits))


@given(EDITS, EDITS)
def test_folding_the_rest_over_the_folded_graph_gives_the_same_graph(
    first: list[Operation], second: list[Operation]
) -> None:
    half = fold(BASE, done(first)).graph
    assert fold(half, done(second)).graph == fold(BASE, done([*first, *second])).graph


@given(EDITS)
def test_the_base_is_never_touched_and_folding_twice_gives_the_same(edits: list[Operation]) -> None:
    digest = BASE.digest
    assert fold(BASE, done(edits)) == fold(BASE, done(edits))
    assert Graph(dict(BASE.nodes), dict(BASE.edges)).digest == digest


@given(EDITS)
def test_topology_changes_only_where_an_operation_says_so(edits: list[Operation]) -> None:
    if not any(map(changes_topology, edits)):
        assert fold(BASE, done(edits)).graph is BASE


def key_of(one: Intervention) -> tuple[PortKey, str, str, PortKey | None]:
    return (one.target, one.kind, one.operator, one.scope)


@given(st.lists(interventions(), max_size=6, unique_by=key_of), st.randoms())
def test_interventions_do_not_depend_on_the_order_of_the_edits(
    found: list[Intervention], chance: random.Random
) -> None:
    other = list(found)
    chance.shuffle(other)
    assert in_order_of_application(found) == in_order_of_application(other)
    assert (
        fold(BASE, done([Intervene(one) for one in found])).interventions
        == fold(BASE, done([Intervene(one) for one in other])).interventions
    )


@given(st.lists(interventions(), max_size=6))
def test_a_later_intervention_of_one_kind_on_one_port_wins(found: list[Intervention]) -> None:
    last = {key_of(one): one for one in found}
    awake = [one for one in last.values() if one.target.node in "ab" and (one.scope is None or one.scope.node in "ab")]
    folded = fold(BASE, done([Intervene(one) for one in found]))
    assert set(folded.interventions) == set(awake)
    assert {key.node for key in folded.strangers} <= {"c"}


def test_a_long_history_compares_and_is_shown() -> None:
    batch = Batch(())
    long, same = done([batch] * 20_000), done([batch] * 20_000)
    assert long == same
    assert repr(long) == "History(done=20000, undone=0)"
