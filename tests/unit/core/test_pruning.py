"""What is left of a stage after failures, between bundles and inside one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from quincunx_orchestrator.core.pruning import Losses, losses_after, prune
from quincunx_shared.names import Address, PortKey, SegmentId, Signature
from quincunx_shared.outcome import BundleOutcome
from quincunx_shared.recipe import NOTHING, Bundle, Feed, RecipeStep, Source, Task
from quincunx_workers.scheduler import BundleState

SEGMENT = SegmentId("s")

#: For each task, which earlier ones it reads, and whether it can spare them.
Shape = list[tuple[set[int], bool]]


def address(place: int) -> Address:
    return Address(SEGMENT, PortKey(f"n{place}", "y"))


def task(place: int, reads: set[int], spares: bool) -> Task:
    feed = Feed("x", tuple(address(one).key for one in sorted(reads)), multi=True, spares=spares)
    sources = tuple(Source(address(one)) for one in sorted(reads))
    return Task(RecipeStep(f"n{place}", "step", {}, (feed,), ("y",)), Signature(str(place)), (sources,))


def bundle(*tasks: Task) -> Bundle:
    return Bundle(SEGMENT, "cpu", 0, "cpu", tasks)


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    count = draw(st.integers(1, 8))
    return [
        (draw(st.sets(st.integers(0, place - 1))) if place else set(), draw(st.booleans())) for place in range(count)
    ]


def fallen_by(shape: Shape, broken: set[int]) -> tuple[set[int], set[int]]:
    """What never delivers, and what delivers without something: read off the graph, task by task."""
    lost: set[int] = set()
    nameless: set[int] = set()
    for place, (reads, spares) in enumerate(shape):
        if place in broken or (reads & lost and not spares):
            lost.add(place)
        elif reads & (lost | nameless):
            nameless.add(place)
    return lost, nameless


@given(shapes(), st.sets(st.integers(0, 7)))
def test_a_bundle_runs_exactly_what_can_do_without_the_failures(shape: Shape, broken: set[int]) -> None:
    tasks = [task(place, reads, spares) for place, (reads, spares) in enumerate(shape)]
    state = BundleState.of(tasks, SEGMENT)
    ran: list[int] = []
    while ready := state.ready():
        assert list(ready) == sorted(ready)
        index = ready[0]
        state = state.start(index)
        ran.append(index)
        assert all(one in state.delivered or one in state.lost for one in shape[index][0])
        state = state.failed(index) if index in broken else state.merged(index)
    lost, _ = fallen_by(shape, broken)
    assert state.done
    assert set(state.lost) == lost
    assert all(culprit in broken for culprit in state.lost.values())
    assert set(ran) == set(range(len(shape))) - {place for place, culprit in state.lost.items() if culprit != place}


@given(shapes(), st.sets(st.integers(0, 7)))
def test_pruning_stage_by_stage_skips_the_same(shape: Shape, broken: set[int]) -> None:
    losses = Losses()
    skipped: set[str] = set()
    for place, (reads, spares) in enumerate(shape):
        stage = [bundle(task(place, reads, spares))]
        pruned = prune(stage, losses)
        skipped |= {node for _, node in pruned.skipped}
        outcomes = [outcome_of(one, broken) for one in pruned.bundles]
        losses = losses_after(outcomes, pruned.losses)
        for one in pruned.bundles:
            expected = tuple(NOTHING if source.address in losses.absent else source for source in _sources(stage[0]))
            assert _sources(one) == expected
    lost, nameless = fallen_by(shape, broken)
    assert set(losses.absent) == {address(place) for place in lost}
    assert losses.nameless == {address(place) for place in nameless}
    assert skipped == {f"n{place}" for place in lost - broken} | {
        f"n{place}" for place in lost & broken if shape[place][0] & lost and not shape[place][1]
    }
    assert all(culprit.removeprefix("s/n") in map(str, broken) for culprit in losses.absent.values())


def outcome_of(one: Bundle, broken: set[int]) -> BundleOutcome:
    node = one.tasks[0].step.id
    failed = {node: "broke"} if int(node[1:]) in broken else {}
    return BundleOutcome(one, failed=failed, nameless={node} if one.tasks[0].nameless else set())


def _sources(one: Bundle) -> tuple[Source, ...]:
    return one.tasks[0].inputs[0]


def test_a_loss_that_will_be_healed_holds_up_those_that_could_spare_it() -> None:
    tasks = [task(0, set(), False), task(1, {0}, True), task(2, set(), False)]
    state = BundleState.of(tasks, SEGMENT).start(0).failed(0, spare=False)
    assert state.ready() == (2,)
    assert state.lost == {0: 0, 1: 0}


def test_without_losses_a_stage_is_what_it_was() -> None:
    stage = [bundle(task(0, set(), False))]
    assert prune(stage, Losses()).bundles == tuple(stage)
