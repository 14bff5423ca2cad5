"""The vectors of scheduler.json: states of a bundle, what both executors do, the onion, and the blackboard."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

import pytest
from tests.conformance import vectors
from tests.conformance.running import Rendered, Workplace
from tests.conformance.vectors import named

from quincunx_shared.errors import MissingInputs
from quincunx_shared.events import Event, StepFailed, StepProgressed, StepRecalled
from quincunx_shared.names import Address, PortKey, SegmentId, Signature
from quincunx_shared.payload import decode
from quincunx_shared.recipe import Feed, RecipeStep, Source, Task
from quincunx_shared.stores.memory import MemoryBoard
from quincunx_workers.scheduler import BundleState

VECTORS = vectors.load("scheduler")
HERE = SegmentId("s")


def task_of(told: Any) -> Task:
    """A task with one port for each producer that it needs, and one port for those that it can spare."""
    keys = [PortKey(name, "out") for name in told["reads"]]
    spared = tuple(PortKey(name, "out") for name in told["spares"])
    feeds = [Feed(f"x{place}", (key,)) for place, key in enumerate(keys)]
    feeds.append(Feed("spared", spared, multi=True, spares=True))
    inputs = tuple(tuple(Source(Address(HERE, key)) for key in feed.producers) for feed in feeds)
    return Task(RecipeStep(told["id"], "any", {}, tuple(feeds), ("out",)), Signature(""), inputs)


@pytest.mark.parametrize("vector", named(VECTORS, "states"))
def test_a_bundle_goes_through_these_states(vector: Any) -> None:
    names = [one["id"] for one in vector["tasks"]]
    state = BundleState.of([task_of(one) for one in vector["tasks"]], HERE)
    lost: dict[str, str] = {}
    for move in vector["moves"]:
        state = moved(state, *move["move"].split(), names=names)
        lost = move.get("lost", lost)

        assert [names[index] for index in state.ready()] == move["ready"], move
        assert state.done == move["done"], move
        assert {names[one]: names[why] for one, why in state.lost.items()} == lost, move


def moved(state: BundleState, verb: str = "", name: str = "", *, names: list[str]) -> BundleState:
    match verb:
        case "start":
            return state.start(names.index(name))
        case "merge":
            return state.merged(names.index(name))
        case "fail":
            return state.failed(names.index(name))
        case _:
            return state


@pytest.fixture(params=[None, 1, 4], ids=["serial", "one thread", "four threads"])
def pool(request: pytest.FixtureRequest) -> Iterator[Executor | None]:
    if request.param is None:
        yield None
        return
    with ThreadPoolExecutor(request.param) as threads:
        yield threads


def rendered(vector: Any, pool: Executor | None = None) -> tuple[Rendered, Workplace]:
    segment = vectors.segment(vector, VECTORS["steps"])
    place = Workplace(VECTORS["steps"], [segment], pool)
    return place.render(place.bind([segment]), [vectors.address(one) for one in vector["targets"]]), place


@pytest.mark.parametrize("vector", named(VECTORS, "behaviour"))
def test_serial_and_threaded_executors_do_the_same(vector: Any, pool: Executor | None) -> None:
    result, place = rendered(vector, pool)

    assert {*result.ran, *result.recalled} == {*vector["ran"], *vector.get("recalled", {})}
    if pool is None:
        assert result.ran == vector["ran"]
        assert result.recalled == vector.get("recalled", {})
    assert result.values == vector["values"]
    assert result.failed.keys() == vector.get("failed", {}).keys()
    assert all(words in result.failed[node] for node, words in vector.get("failed", {}).items())
    assert result.skipped == vector.get("skipped", {})
    saw = {step: inputs for step, inputs, _ in place.saw}
    assert all(saw[step] == inputs for step, inputs in vector.get("saw", {}).items())


@pytest.mark.parametrize("vector", named(VECTORS, "onion"))
def test_the_onion_lets_these_events_out(vector: Any) -> None:
    _, place = rendered(vector)
    happened = [told(one) for one in place.bench.log.since(0)]

    assert len(happened) == len(vector["events"])
    for one, expected in zip(happened, vector["events"], strict=True):
        assert one[:2] == expected[:2]
        assert all(str(word) in str(one[at]) for at, word in enumerate(expected[2:], start=2)), one
    if "calls" in vector:
        assert [step for step, _, _ in place.saw] == vector["calls"]


def told(event: Event) -> list[Any]:
    name, node = type(event).__name__, getattr(event, "node", None)
    if isinstance(event, StepProgressed):
        return [name, node, event.percent, event.text]
    if isinstance(event, StepRecalled):
        return [name, node, event.by]
    return [name, node, event.error] if isinstance(event, StepFailed) else [name, node]


@pytest.mark.parametrize("vector", named(VECTORS, "boards"))
def test_a_blackboard_pins_and_gives(vector: Any) -> None:
    board = MemoryBoard()
    for put in (vector["put"], vector.get("put_later", {})):
        board.put({vectors.address(key): vectors.encoded(value).ref for key, value in put.items()})
    if vector.get("close"):
        board.close()
    wanted = [vectors.address(one) for one in vector["take"]]
    if "missing" in vector:
        with pytest.raises(MissingInputs) as error:
            board.take(wanted)
        assert error.value.ports == {node: tuple(ports) for node, ports in vector["missing"].items()}
        return

    found = {str(key): decode(ref, ref.inline or b"") for key, ref in board.take(wanted).items()}
    assert found == vector["found"]
