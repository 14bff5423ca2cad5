"""A message in the hands of a worker, with everything in memory: what ends, what goes back, and what is never told."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from tests.farm.waiting import until
from tests.farm.worker_desk import bundle
from tests.scenario.toy_farm import NoModels, step

from quincunx_shared.canonical import digest_of_bytes
from quincunx_shared.errors import DeviceFailed, StoreError
from quincunx_shared.events import StepProgressed, StepRan
from quincunx_shared.farm.memory_work_state import MemoryWorkState
from quincunx_shared.farm.messages import RunBundles
from quincunx_shared.farm.wire import bundle_to_json
from quincunx_shared.farm.work_state import MOST_ATTEMPTS, BundleId, Verdict
from quincunx_shared.intervention import Intervention
from quincunx_shared.manifest import Input, Option
from quincunx_shared.names import PortKey, RenderId, Signature
from quincunx_shared.recipe import NULL, Bundle, Source
from quincunx_shared.step import StepContext
from quincunx_shared.stores.memory import (
    ManualClock,
    MemoryBlobStore,
    MemoryBoard,
    MemoryEventLog,
    MemoryIndex,
)
from quincunx_workers.farm.aside import Aside
from quincunx_workers.farm.bundle_runner import Post, run_message
from quincunx_workers.farm.crowd import Crowd
from quincunx_workers.farm.draining import Draining
from quincunx_workers.farm.keeper import Keeper
from quincunx_workers.shared_flights import SharedFlights
from quincunx_workers.workbench import Workbench

RENDER = RenderId("r1")
OPTIONS = (*(Option(name=one, type="str", default="") for one in ("trace", "word")),)


def laid_on(one: Bundle, operator: str) -> Bundle:
    """The bundle, with something of an installed package laid on what it reads."""
    (task,) = one.tasks
    custom = Intervention(PortKey("it", "x"), "custom", NULL, operator=operator)
    return replace(one, tasks=(replace(task, inputs=((Source(value=NULL, interventions=(custom,)),),)),))


@dataclass
class Desk:
    """A worker's post in memory. What `during` holds for a word is called while that step runs."""

    during: dict[str, Callable[[], None]] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    #: For how long it stood aside.
    aside: list[float] = field(default_factory=list)
    #: For how long each step runs before it tells how far it is.
    slowness: float = 0.0

    def __post_init__(self) -> None:
        self.log, self.board, self.clock = MemoryEventLog(), MemoryBoard(), ManualClock()
        self.work = MemoryWorkState(self.clock, lambda _: self.board, lambda _: self.log)
        inputs = (Input(name="x", type="audio", required=False),)
        seconds = Option(name="seconds", type="float", default=0.0)
        nap = step("nap", self._run, inputs=inputs, options=(*OPTIONS, seconds))
        bench = Workbench(
            {"nap": nap},
            MemoryBlobStore(),
            MemoryIndex(),
            MemoryEventLog(),
            self.clock,
            NoModels(),
            numeric_class="x86",
        )
        self.post = Post(
            "one",
            self.work,
            bench,
            Keeper(self.work),
            Draining(),
            Crowd(),
            Aside(lambda: False, self.aside.append),
            lambda _: self.board,
            lambda word: self.refused.update([word]),
        )

    def _run(self, inputs: Any, options: Any, context: StepContext) -> Any:  # noqa: ARG002
        word = options["word"]
        self.ran.append(word)
        self.clock.advance(self.slowness)
        context.report(50.0, "half")
        self.during.get(word, lambda: None)()
        return [word]

    def release(self, *bundles: Bundle, generation: int = 1) -> RunBundles:
        contents = {f"{generation}/{one.segment}/toy": bundle_to_json(one) for one in bundles}
        assert self.work.release(RENDER, generation, contents)
        return RunBundles(RENDER, generation, tuple(contents), tuple(map(digest_of_bytes, contents.values())))

    def ended(self, *names: str) -> set[str]:
        return {name for name in names if self.work.outcomes(RENDER, [f"1/{name}/toy"])}


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_what_ended_is_told_once_and_in_order(desk: Desk) -> None:
    message = desk.release(*map(bundle, "abc"))
    assert run_message(message, desk.post) == 3
    assert run_message(message, desk.post) == 0
    assert desk.ran == ["a", "b", "c"]
    ran = [one for one in desk.log.since(0) if isinstance(one, StepRan)]
    assert [one.segment for one in ran] == ["a", "b", "c"]


@pytest.mark.parametrize(("slowness", "told"), [(1.0, 1), (0.1, 0)])
def test_progress_is_told_while_a_step_runs_that_lasts(desk: Desk, slowness: float, told: int) -> None:
    seen: list[int] = []
    desk.slowness = slowness
    desk.during["a"] = lambda: seen.append(sum(isinstance(one, StepProgressed) for one in desk.log.since(0)))
    run_message(desk.release(bundle("a")), desk.post)
    assert seen == [told]


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (bundle("a", version="2"), "has nap 1, not 2"),
        (bundle("a", numeric_class="arm"), "computes nap as x86, not as arm"),
        (bundle("a", "unheard"), "has no step 'unheard'"),
        (laid_on(bundle("a"), "growl"), "has no operator 'growl'"),
    ],
)
def test_what_does_not_fit_is_handed_back_with_the_reason(desk: Desk, one: Bundle, why: str) -> None:
    assert run_message(desk.release(one, bundle("b")), desk.post) == 1
    assert why in desk.work.refusals(RENDER)["1/a/toy"]
    assert desk.work.unclaimed(RENDER, ["1/a/toy"]) == {"1/a/toy"}
    assert desk.refused == {"misfit": 1}


def test_who_can_run_nothing_of_a_message_leaves_the_next_to_others_for_a_moment(desk: Desk) -> None:
    run_message(desk.release(bundle("a", version="2"), bundle("b")), desk.post)
    assert desk.aside == [], "something fitted"
    message = desk.release(bundle("c", version="2"))
    run_message(message, desk.post)
    assert sum(desk.aside) == pytest.approx(0.1)
    assert desk.work.unclaimed(RENDER, message.bundles) == {"1/c/toy"}, "and holds nothing meanwhile"
    run_message(message, desk.post)
    assert sum(desk.aside) == pytest.approx(0.3)


def test_what_cannot_be_read_is_handed_back_and_the_rest_is_run(desk: Desk) -> None:
    """As it is while a farm is upgraded: somebody else may read it."""
    contents = {"1/new/toy": b"in a newer form", "1/a/toy": bundle_to_json(bundle("a"))}
    assert desk.work.release(RENDER, 1, contents)
    message = RunBundles(RENDER, 1, tuple(contents), tuple(map(digest_of_bytes, contents.values())))
    assert run_message(message, desk.post) == 1
    assert "cannot read it" in desk.work.refusals(RENDER)["1/new/toy"]
    assert desk.work.unclaimed(RENDER, contents) == {"1/new/toy"}


def test_what_is_handed_back_for_one_reason_goes_with_one_question(desk: Desk) -> None:
    class Counting(MemoryWorkState):
        asked = 0

        def hand_back(self, *given: Any, **named: Any) -> None:
            self.asked += 1
            super().hand_back(*given, **named)

    desk.work = Counting(desk.clock, lambda _: desk.board, lambda _: desk.log)
    message = desk.release(*(bundle(name, version="2") for name in "abc"), bundle("d", "unheard"))
    assert run_message(message, replace(desk.post, work=desk.work)) == 0
    assert len(desk.work.refusals(RENDER)) == 4
    assert desk.work.asked == 2
    assert desk.refused == {"misfit": 4}


def test_an_outage_is_no_attempt(desk: Desk) -> None:
    class Away(MemoryWorkState):
        away = False

        def hand_back(self, *given: Any, **named: Any) -> None:
            if self.away:
                raise ConnectionError("no answer")
            super().hand_back(*given, **named)

        def finish(self, *given: Any, **named: Any) -> frozenset[str]:
            if self.away:
                raise ConnectionError("no answer")
            return super().finish(*given, **named)

    desk.work = work = Away(desk.clock, lambda _: desk.board, lambda _: desk.log)
    post = replace(desk.post, work=work, keeper=Keeper(work, lease_seconds=0.03))
    message = desk.release(bundle("a"))
    for _ in range(MOST_ATTEMPTS + 1):
        work.away = True
        assert run_message(message, post) == 0
        assert work.unclaimed(RENDER, message.bundles) == set()
        work.away = False
        until(lambda: work.unclaimed(RENDER, message.bundles))
    assert run_message(message, post) == 1


def test_what_will_not_end_before_its_process_is_handed_back_while_it_runs(desk: Desk) -> None:
    draining = Draining(grace_seconds=0.0)
    keeper = Keeper(desk.work, lease_seconds=0.03, overdue=lambda: draining.overdue)
    message = desk.release(bundle("a"))

    def be_slow() -> None:
        draining.ask()
        until(lambda: desk.work.unclaimed(RENDER, message.bundles))

    desk.during["a"] = be_slow
    assert run_message(message, replace(desk.post, draining=draining, keeper=keeper)) == 0
    token = desk.work.lease(RENDER, message.bundles, "other").token
    assert desk.work.begin(RENDER, message.bundles, token) == ("go",), "nothing was counted"


@pytest.mark.parametrize(("started", "counted"), [(True, 1), (False, 0)])
def test_a_device_that_fails_ends_its_process_and_no_phrase(desk: Desk, started: bool, counted: int) -> None:
    """What ran on it may be to blame, and is counted; what never ran, and all others, are not."""
    ended: list[int] = []
    failures: list[DeviceFailed] = []

    def fail() -> None:
        failures.append(DeviceFailed("the device failed", started=started))
        raise failures[0]

    desk.during["a"] = fail
    keeper = Keeper(desk.work, hung=lambda _: ended.append(desk.work._renders[RENDER].attempts["a/toy"]))
    message = desk.release(*map(bundle, "ab"))
    post = replace(desk.post, keeper=keeper, failure=lambda: failures[0] if failures and not ended else None)
    run_message(message, post)
    assert ended == [counted]
    assert desk.ended("a") == set()
    assert "1/b/toy" in desk.work.unclaimed(RENDER, message.bundles)
    assert "the device failed" in desk.work.refusals(RENDER)["1/b/toy"]


@pytest.mark.parametrize("why", ["cancelled", "drained"])
def test_who_waits_for_another_machine_hears_that_it_need_not(desk: Desk, why: str) -> None:
    class Taken:
        asked = 0

        def take(self, signature: Signature) -> bool:  # noqa: ARG002 - somebody else has them all
            self.asked += 1
            return False

        def give_back(self, signatures: Iterable[Signature]) -> None:
            raise AssertionError(signatures)

        def nobody_else(self) -> bool:
            return False

    claims = Taken()
    post = replace(desk.post, bench=replace(desk.post.bench, flights=SharedFlights(claims, lambda: None)))
    message = desk.release(bundle("a"))
    with ThreadPoolExecutor() as pool:
        waits = pool.submit(run_message, message, post)
        until(lambda: claims.asked)
        desk.post.draining.ask() if why == "drained" else desk.work.stop(RENDER)
        assert waits.result(10) == 0
    assert desk.ran == []
    assert desk.work.unclaimed(RENDER, message.bundles) == (set(message.bundles) if why == "drained" else set())


def test_what_waits_for_others_to_leave_has_not_begun(desk: Desk) -> None:
    """Whatever ends the process that it waits in would count against it."""
    message = desk.release(bundle("a"))
    desk.work.begin(RENDER, message.bundles, desk.work.lease(RENDER, message.bundles, "dies").token)
    desk.clock.advance(60)
    with ThreadPoolExecutor() as pool:
        with desk.post.crowd.computing(alone=False):
            waits = pool.submit(run_message, message, desk.post)
            until(lambda: desk.post.crowd._loners_waiting)
            assert desk.work._renders[RENDER].attempts == {"a/toy": 1}
        assert waits.result(10) == 1


def test_after_the_lease_went_to_somebody_else_nothing_is_told(desk: Desk) -> None:
    def lose() -> None:
        desk.clock.advance(60)
        desk.work.lease(RENDER, ["1/b/toy", "1/c/toy"], "other")

    desk.during["b"] = lose
    run_message(desk.release(*map(bundle, "abc")), desk.post)
    assert desk.ran[:2] == ["a", "b"]
    assert desk.ended("a", "b", "c") == {"a"}
    assert [one.segment for one in desk.log.since(0) if isinstance(one, StepRan)] == ["a"]


def test_a_render_that_is_stopped_is_left_between_two_steps(desk: Desk) -> None:
    desk.during["a"] = lambda: desk.work.stop(RENDER)
    run_message(desk.release(*map(bundle, "ab")), desk.post)
    assert desk.ran == ["a"]
    assert desk.ended("a", "b") == set()


def test_a_newer_generation_takes_over(desk: Desk) -> None:
    def begin_anew() -> None:
        desk.release(bundle("a"), generation=2)

    desk.during["a"] = begin_anew
    run_message(desk.release(*map(bundle, "ab")), desk.post)
    assert desk.ran == ["a"]
    assert desk.work.outcomes(RENDER, ["2/a/toy"]) == {}


def test_told_to_end_it_finishes_a_bundle_and_hands_back_the_rest(desk: Desk) -> None:
    desk.during["a"] = desk.post.draining.ask
    message = desk.release(*map(bundle, "abc"))
    assert run_message(message, desk.post) == 1
    assert desk.work.unclaimed(RENDER, message.bundles) == {"1/b/toy", "1/c/toy"}
    assert desk.work.returned(RENDER) == {"1/b/toy": 1, "1/c/toy": 1}
    assert run_message(message, desk.post) == 0
    assert desk.work.returned(RENDER) == {"1/b/toy": 2, "1/c/toy": 2}, "the message is gone, unread"


def test_a_store_that_is_full_hands_everything_back_with_what_it_said(desk: Desk) -> None:
    class Full(MemoryIndex):
        def flush(self, first: Callable[[], None] = lambda: None) -> None:  # noqa: ARG002
            raise StoreError("no space is left")

    post = replace(desk.post, bench=replace(desk.post.bench, index=Full()))
    message = desk.release(*map(bundle, "ab"))
    assert run_message(message, post) == 0
    assert desk.work.unclaimed(RENDER, message.bundles) == set(message.bundles)
    assert "no space is left" in desk.work.refusals(RENDER)["1/a/toy"]
    assert run_message(message, desk.post) == 2


def test_a_state_that_is_away_is_no_error_of_the_task(desk: Desk) -> None:
    class Away(MemoryWorkState):
        def lease(self, *_: Any, **__: Any) -> Any:
            raise ConnectionError("no answer")

    message = desk.release(bundle("a"))
    away = Away(desk.clock, lambda _: desk.board, lambda _: desk.log)
    assert run_message(message, replace(desk.post, work=away)) == 0
    assert desk.refused == {"outage": 1}


def test_what_was_begun_before_computes_alone() -> None:
    crowd, order = Crowd(), []
    inside, leave = threading.Event(), threading.Event()

    def one(name: str, *, alone: bool) -> None:
        with crowd.computing(alone=alone):
            order.append(name)
            inside.set()
            assert leave.wait(10)

    threads = [threading.Thread(target=one, args=("many",), kwargs={"alone": False})]
    threads[0].start()
    assert inside.wait(10)
    threads += [threading.Thread(target=one, args=("alone",), kwargs={"alone": True})]
    threads[1].start()
    assert order == ["many"]
    leave.set()
    for thread in threads:
        thread.join()
    assert order == ["many", "alone"]


def test_leases_are_renewed_in_every_message_of_a_process() -> None:
    """The keeper may sleep already, after the last message, when the next one comes."""

    class Renewing(MemoryWorkState):
        renewed = 0

        def renew(self, render: RenderId, ids: Sequence[BundleId], token: str) -> Verdict:
            self.renewed += 1
            return super().renew(render, ids, token)

    work = Renewing(ManualClock(), lambda _: MemoryBoard(), lambda _: MemoryEventLog())
    keeper = Keeper(work, lease_seconds=1.5)
    for message in (1, 2):
        with keeper.keeping(RENDER, "token", ["1/a/toy"]):
            until(lambda message=message: work.renewed >= message, 4.0)  # type: ignore[misc]
            work.renewed = message
        # It is asleep again: somebody waits, and nothing is held.
        until(lambda: getattr(keeper._changed, "_waiters"))  # noqa: B009 - no stub tells of it
