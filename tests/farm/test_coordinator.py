"""Coordinators and clients, with workers that are threads of this process: what is sent, what is lost, who goes on."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

import numpy as np
import pytest
from tests.farm.waiting import until
from tests.scenario.test_barriers import song
from tests.scenario.toy_farm import MIXED, NoModels, Toys, toy_farm

from quincunx_orchestrator.core.lanes import Barrier
from quincunx_orchestrator.core.segment import Segment
from quincunx_orchestrator.farm import dispatcher as dispatching
from quincunx_orchestrator.farm import order as orders
from quincunx_orchestrator.farm import order_form
from quincunx_orchestrator.farm.client import FarmClient, RenderEndedOtherwise
from quincunx_orchestrator.farm.coordinator import Coordinator
from quincunx_orchestrator.farm.dispatcher import FarmDispatcher, Message
from quincunx_orchestrator.farm.job import Claim, Priority
from quincunx_orchestrator.farm.job_run import LentBoard, Surroundings
from quincunx_orchestrator.farm.job_store import QueueFull
from quincunx_orchestrator.farm.remote import OnFarm
from quincunx_orchestrator.farm.submission import Accepted, Submission
from quincunx_orchestrator.farm.wake import RenderStopped, Wake
from quincunx_orchestrator.render import plan
from quincunx_orchestrator.render_result import RenderResult
from quincunx_shared.canonical import digest_of_bytes
from quincunx_shared.errors import FarmError, FarmUnreachable, StoreError, StoreUnreachable
from quincunx_shared.events import Event, SegmentEnded
from quincunx_shared.farm.memory_work_state import MemoryWorkState
from quincunx_shared.farm.wire import bundle_from_json, outcome_to_json
from quincunx_shared.farm.work_state import Finished
from quincunx_shared.names import Digest, RenderId
from quincunx_shared.payload import Payload, encode
from quincunx_shared.recall import Recall
from quincunx_shared.recipe import Bundle
from quincunx_shared.stores.documents import MemoryDocuments
from quincunx_shared.stores.memory import ManualClock, MemoryBlobStore, MemoryBoard, MemoryEventLog, SystemClock
from quincunx_workers.executor import run_bundle
from quincunx_workers.workbench import Workbench


class MemoryJobs:
    """Jobs in a list; who has claimed one keeps it until told otherwise."""

    def __init__(self) -> None:
        self.waiting: list[tuple[RenderId, Digest, Submission]] = []
        self.state: dict[RenderId, tuple[str, Mapping[str, Any]]] = {}
        self.tokens: dict[RenderId, str] = {}
        self.generations: dict[RenderId, int] = {}
        self.classes: dict[RenderId, Priority] = {}
        self.orders: dict[RenderId, tuple[Digest, Submission]] = {}
        self.logs: dict[RenderId, MemoryEventLog] = {}
        self.postponed: list[str] = []
        self.guard = threading.RLock()

    def submit(self, job: Accepted) -> tuple[RenderId, bool, tuple[RenderId, ...]]:
        with self.guard:
            self.orders[job.render] = (job.order, job.how)
            self.waiting.append((job.render, job.order, job.how))
        return job.render, False, ()

    def record_done(self, job: Accepted, result: Mapping[str, Any]) -> tuple[RenderId, ...]:
        self.orders[job.render] = (job.order, job.how)
        self.state[job.render] = ("succeeded", result)
        return ()

    def claim_next(self, coordinator: str, classes: Sequence[Priority]) -> Claim | None:  # noqa: ARG002 - any
        with self.guard:
            if not self.waiting:
                return None
            render, order, how = self.waiting.pop(0)
            self.generations[render] = self.generations.get(render, 0) + 1
            self.tokens[render] = f"{coordinator}-{self.generations[render]}"
            return Claim(render, order, self.tokens[render], self.generations[render], how.barrier)

    def take_away(self, render: RenderId) -> None:
        """What happens when a lease ends: somebody else may have the job."""
        with self.guard:
            order, how = self.orders[render]
            self.tokens[render] = ""
            self.waiting.append((render, order, how))

    def renew(self, render: RenderId, token: str) -> Priority | None:
        ours = self.tokens.get(render) == token and render not in self.state
        return self.classes.get(render, "user") if ours else None

    def release(self, render: RenderId, token: str) -> bool:
        return self.renew(render, token) is not None

    def postpone(self, render: RenderId, token: str, seconds: float, why: str) -> bool:  # noqa: ARG002 - at once
        self.postponed.append(why)
        self.take_away(render)
        return True

    def end(
        self, render: RenderId, token: str, state: str, result: Mapping[str, Any], last: Sequence[Event] = ()
    ) -> bool:
        with self.guard:
            if not self.renew(render, token):
                return False
            for event in last:
                self.log(render).append(event)
            self.state[render] = (state, result)
            return True

    def ended(self, render: RenderId) -> tuple[str, Mapping[str, Any]] | None:
        return self.state.get(render)

    def follow(self, render: RenderId, since: int, seconds: float) -> Iterable[tuple[int, Event]]:
        log = self.log(render)
        if seconds and not log.since(since):
            until(lambda: bool(log.since(since)) or render in self.state)
        return list(enumerate(log.since(since), since))

    def log(self, render: RenderId) -> MemoryEventLog:
        return self.logs.setdefault(render, MemoryEventLog())


@dataclass
class NearPost:
    """Brings messages to threads of this process. `lose` says which messages are lost on the way."""

    worked_off: Callable[[RenderId], None]
    queue: SimpleQueue[Message | None] = field(default_factory=SimpleQueue)
    sent: list[Message] = field(default_factory=list)
    lose: Callable[[Message], bool] = lambda _: False
    always_waiting: bool = False
    asked: int = 0
    nobody_fits: str = ""

    def send(self, messages: Sequence[Message]) -> None:
        for message in messages:
            self.sent.append(message)
            if not self.lose(message):
                self.queue.put(message)

    def is_waiting(self, message: Message) -> bool:  # noqa: ARG002 - any may be
        self.asked += 1
        return self.always_waiting or not self.queue.empty()

    def outdated(self, bundle: Bundle) -> str:  # noqa: ARG002 - of every kind
        return self.nobody_fits

    def slots(self, cluster: str) -> int:  # noqa: ARG002 - of every kind
        return 2


@dataclass
class Near:
    """A farm in this process."""

    toys: Toys
    jobs: MemoryJobs
    work: MemoryWorkState
    post: NearPost
    around: Surroundings
    client: FarmClient
    coordinators: list[Coordinator]
    boards: dict[RenderId, MemoryBoard]

    def render(self, *segments: Segment, **how: Any) -> RenderResult:
        bound = self.toys.bind(*segments)
        return OnFarm(self.client, MemoryEventLog(), {}, Submission(**how)).render(bound, [MIXED])


@contextmanager
def near_farm(coordinators: int = 1) -> Iterator[Near]:
    with toy_farm() as toys:
        jobs, clock = MemoryJobs(), ManualClock()
        boards: dict[RenderId, MemoryBoard] = {}
        recall = Recall(toys.index, toys.blobs)

        def board(render: RenderId) -> MemoryBoard:
            return boards.setdefault(render, MemoryBoard())

        work = MemoryWorkState(clock, board, jobs.log)
        found: list[Coordinator] = []

        def wake_all(render: RenderId) -> None:
            for one in found:
                one.wake(render)

        post = NearPost(wake_all)
        around = Surroundings(jobs, work, post, recall, jobs.log, board, work.close)
        found += [Coordinator(f"c{number}", around) for number in range(coordinators)]
        client = FarmClient(recall, jobs, lambda render: found[0].wake(render), MemoryDocuments(), work.stop)
        near = Near(toys, jobs, work, post, around, client, found, boards)
        workers = [threading.Thread(target=_work, args=(near, board)) for _ in range(2)]
        for worker in workers:
            worker.start()
        try:
            yield near
        finally:
            for one in found:
                one.close()
            for _ in workers:
                post.queue.put(None)
            for worker in workers:
                worker.join()


def _work(near: Near, board: Callable[[RenderId], MemoryBoard]) -> None:
    toys = near.toys
    while (message := near.post.queue.get()) is not None:
        bench = Workbench(toys.steps, toys.blobs, toys.index, near.jobs.log(message.render), SystemClock(), NoModels())
        grant = near.work.lease(message.render, message.bundles, "thread")
        for name, content in grant.bundles.items():
            assert digest_of_bytes(content) in message.digests
            if near.work.begin(message.render, [name], grant.token)[0] in {"go", "alone"}:
                outcome = run_bundle(bundle_from_json(content), board(message.render), bench)
                near.work.finish(message.render, grant.token, [Finished(name, outcome_to_json(outcome))])
        near.post.worked_off(message.render)


def expected(*, failing: str = "") -> Payload:
    with toy_farm() as toys:
        return toys.render(*song(toys, failing=failing), targets=[MIXED]).payloads[MIXED]


@pytest.mark.parametrize("barrier", [Barrier(), Barrier("wave", 2), Barrier("segment")], ids=lambda one: one.mode)
def test_the_farm_makes_what_is_made_here(barrier: Barrier) -> None:
    with near_farm() as near:
        result = near.render(*song(near.toys), barrier=barrier)
        assert result.state == "succeeded"
        assert np.array_equal(result.payloads[MIXED], expected())
        assert len(result.ran) == 11


def test_a_song_that_is_known_is_done_without_a_message() -> None:
    with near_farm() as near:
        near.render(*song(near.toys))
        sent = len(near.post.sent)
        result = near.render(*song(near.toys))
        assert (result.state, result.ran) == ("succeeded", {})
        assert np.array_equal(result.payloads[MIXED], expected())
        assert len(near.post.sent) == sent
        assert list(near.jobs.state.values())[-1][0] == "succeeded"


def test_a_job_is_accepted_whether_or_not_anybody_hears_of_it() -> None:
    def nobody(_: RenderId) -> None:
        raise OSError("the broker is away")

    with near_farm() as near:
        near.client.wake = nobody
        submitted = near.client.submit(near.toys.bind(*song(near.toys)), [MIXED])
        near.coordinators[0].tick()
        assert near.client.wait(submitted.render).state == "succeeded"


@pytest.mark.parametrize(
    ("error", "kept"), [(FarmUnreachable("gone"), True), (QueueFull("too many"), False), (FarmError("full"), False)]
)
def test_who_loses_the_answer_to_a_submission_hears_which_job_it_is_about(error: FarmError, kept: bool) -> None:
    class Failing(MemoryJobs):
        def submit(self, job: Accepted) -> tuple[RenderId, bool, tuple[RenderId, ...]]:
            asked.append(job.render)
            raise error

    asked: list[RenderId] = []
    with near_farm() as near:
        near.client.jobs = Failing()
        with pytest.raises(type(error)) as told:
            near.client.submit(near.toys.bind(*song(near.toys)), [MIXED])
        assert near.client.documents.names() == [f"orders/{asked[0]}"] * kept
        assert (asked[0] in str(told.value)) == kept


def test_nobody_is_told_of_a_result_that_was_not_stored() -> None:
    class Full(MemoryBlobStore):
        def flush(self) -> None:
            raise StoreError("it is full")

    with near_farm() as near:
        near.render(*song(near.toys))
        ended, full = dict(near.jobs.state), Full()
        full._blobs = near.toys.blobs._blobs
        near.client.recall = Recall(near.toys.index, full)
        with pytest.raises(StoreError, match="it is full"):
            near.render(*song(near.toys))
        assert near.jobs.state == ended


def test_an_order_that_was_kept_renders_later_without_who_kept_it() -> None:
    with near_farm() as near:
        job = near.client.keep(near.toys.bind(*song(near.toys)), [MIXED])
        assert near.post.sent == []
        near.jobs.submit(job)
        near.coordinators[0].take_jobs()
        result = near.client.wait(job.render)
        assert result.state == "succeeded"
        assert [address.segment for address in result.targets] == [MIXED.segment]


def test_a_failed_phrase_is_told_and_the_song_is_partial() -> None:
    with near_farm() as near:
        result = near.render(*song(near.toys, failing="p3"))
        assert result.state == "partial"
        assert list(result.failed) == [("p3", "last")]
        told = [event for event in near.jobs.log(result.id).since(0) if isinstance(event, SegmentEnded)]
        assert {event.segment for event in told if event.state == "failed"} == {"p3"}
        assert len(told) == 6
        assert np.array_equal(result.payloads[MIXED], expected(failing="p3"))


def test_lost_messages_are_sent_again() -> None:
    with near_farm() as near:
        lost: list[Message] = []

        def lose(message: Message) -> bool:
            lost.append(message)
            return len(lost) <= 2

        near.post.lose = lose
        result = near.render(*song(near.toys))
        assert np.array_equal(result.payloads[MIXED], expected())
        assert sum(len(message.bundles) for message in near.post.sent) == 11 + sum(len(one.bundles) for one in lost[:2])


def test_what_is_sent_after_a_job_was_put_into_another_class_is_of_that_class() -> None:
    with near_farm() as near:

        def hurry(message: Message) -> bool:
            near.jobs.classes[message.render] = "system"
            near.coordinators[0].tick()
            return False

        near.post.lose = hurry
        assert near.render(*song(near.toys)).state == "succeeded"
        assert (near.post.sent[0].priority, near.post.sent[-1].priority) == ("user", "system")


def test_a_message_that_was_taken_and_not_followed_is_sent_again_behind_all_others() -> None:
    with near_farm() as near:
        left: list[Message] = []

        def leave(message: Message) -> bool:
            if len(left) < 2:
                left.append(message)
                near.work.leave(message.render, message.bundles)
                return True
            return False

        near.post.lose = leave
        # Other work lies in every queue: what is there may still be read.
        near.post.always_waiting = True
        result = near.render(*song(near.toys))
        assert np.array_equal(result.payloads[MIXED], expected())


def test_a_queue_is_asked_once_a_tick_however_many_bundles_wait_in_it() -> None:
    with near_farm() as near:
        ticks = iter(range(0, 1000, 2))
        wake = Wake()
        dispatcher = FarmDispatcher(RenderId("r"), 1, near.work, near.post, wake, clock=lambda: float(next(ticks)))
        stage = plan(near.toys.bind(*song(near.toys)), [MIXED], near.around.recall).stages[0]
        assert len(stage) == 5
        near.post.lose, near.post.always_waiting = lambda _: True, True
        running = threading.Thread(target=lambda: _stopped(dispatcher, stage))
        running.start()
        for looks in range(1, 6):
            wake.call()
            until(lambda at=looks: near.post.asked >= at)  # type: ignore[misc]
        wake.stop("enough")
        running.join()
        assert near.post.asked < 15, "that would be each of five bundles at each of three looks"


def test_what_the_work_state_forgot_is_released_again() -> None:
    with near_farm() as near:
        near.post.lose = lambda _: True
        render = near.client.submit(near.toys.bind(*song(near.toys)), [MIXED]).render
        until(lambda: bool(near.post.sent))
        # Redis came back at once, but without its last second.
        near.work._renders.clear()
        near.post.lose = lambda _: False
        assert near.client.wait(render).state == "succeeded"


def test_a_board_that_lost_an_entry_is_planned_again() -> None:
    with near_farm() as near:
        boards = near.boards

        def lose_the_first(message: Message) -> bool:
            if "stage 1" not in message.title and message.generation == 1 and not lost:
                lost.append(message)
                boards[message.render]._refs.clear()
            return False

        lost: list[Message] = []
        near.post.lose = lose_the_first
        result = near.render(*song(near.toys))
        assert [one.title.partition(":")[0].split(", ")[1] for one in lost] == ["stage 2"]
        assert (result.state, result.failed) == ("succeeded", {})
        assert np.array_equal(result.payloads[MIXED], expected())


def _stopped(dispatcher: FarmDispatcher, stage: Sequence[Bundle]) -> None:
    with pytest.raises(RenderStopped):
        dispatcher.run_stage(stage, MemoryBoard())


def test_a_stage_that_is_planned_while_its_render_is_stopped_is_not_released() -> None:
    with near_farm() as near:
        wake, work = Wake(), near.work
        dispatcher = FarmDispatcher(RenderId("r"), 1, work, near.post, wake)
        wake.stop("cancelled")
        stage = plan(near.toys.bind(*song(near.toys)), [MIXED], near.around.recall).stages[0]
        with pytest.raises(RenderStopped):
            dispatcher.run_stage(stage, MemoryBoard())
        assert work.unclaimed(RenderId("r"), map(dispatcher.name_of, stage)) == set()
        assert near.post.sent == []


def test_a_job_outlives_what_its_coordinator_meets() -> None:
    with near_farm() as near:
        errors: list[Exception] = [StoreUnreachable("S3 does not answer"), MemoryError("on this machine")]

        def meet(_: Message) -> bool:
            if errors:
                raise errors.pop(0)
            return False

        near.post.lose = meet
        result = near.render(*song(near.toys))
        assert near.jobs.postponed == ["S3 does not answer", "MemoryError: on this machine"]
        assert np.array_equal(result.payloads[MIXED], expected())


def test_an_order_of_a_newer_form_is_left_to_a_coordinator_that_knows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with near_farm() as near:
        monkeypatch.setattr(orders, "FORM", 1000)
        job = near.client.keep(near.toys.bind(*song(near.toys)), [MIXED])
        near.jobs.submit(job)
        near.coordinators[0].take_jobs()
        until(lambda: near.jobs.postponed)
        monkeypatch.setattr(order_form, "FORM", 1000)
        assert "form" in near.jobs.postponed[0]
        assert near.client.wait(job.render).state == "succeeded"


def test_an_order_of_an_older_form_is_waited_for_by_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    with near_farm() as near:
        job = near.client.keep(near.toys.bind(*song(near.toys)), [MIXED])
        near.jobs.submit(job)
        monkeypatch.setattr(order_form, "FORM", 1000)
        near.coordinators[0].take_jobs()
        (told,) = near.client.wait(job.render).failed.values()
        assert "of an older version" in told


def test_what_waits_is_sent_again_when_its_job_is_put_into_a_higher_class() -> None:
    with near_farm() as near:

        def waits(message: Message) -> bool:
            near.jobs.classes[message.render] = "system"
            near.coordinators[0].tick()
            return message.priority == "user"

        near.post.lose, near.post.always_waiting = waits, True
        assert near.render(*song(near.toys)).state == "succeeded"
        assert {one.priority for one in near.post.sent} == {"user", "system"}


def refusing(near: Near, times: float = math.inf) -> Callable[[Message], bool]:
    """Have messages come back so often because their worker does not fit."""
    seen: list[Message] = []

    def refuse(message: Message) -> bool:
        seen.append(message)
        if len(seen) > times:
            near.post.nobody_fits = ""
            return False
        grant = near.work.lease(message.render, message.bundles, "too new")
        near.work.hand_back(message.render, list(grant.bundles), grant.token, "computes as y, not as x")
        return True

    return refuse


def test_machines_that_may_be_on_their_way_are_waited_for() -> None:
    with near_farm() as near:
        near.post.lose, near.post.nobody_fits = refusing(near, times=3), "nobody computes as x now"
        assert near.render(*song(near.toys)).state == "succeeded"


def test_a_job_whose_bundles_come_back_because_nobody_fits_has_failed_and_says_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dispatching, "COMING_SECONDS", 1.5)
    with near_farm() as near:
        near.post.lose = refusing(near)
        near.post.nobody_fits = "first was signed in version 1; workers have 2"
        result = near.render(*song(near.toys))
        assert result.state == "failed"
        (why,) = result.failed.values()
        assert "first was signed in version 1; workers have 2" in why
        assert "submit the song again" in why


def test_another_coordinator_goes_on_where_the_first_was_lost() -> None:
    with near_farm(coordinators=2) as near:
        first, second = near.coordinators
        stuck: list[Message] = []

        def lose(message: Message) -> bool:
            stuck.append(message)
            return True

        near.post.lose = lose
        bound = near.toys.bind(*song(near.toys))
        submitted = near.client.submit(bound, [MIXED])
        until(lambda: bool(stuck))
        near.post.lose = lambda _: False
        near.jobs.take_away(submitted.render)
        first.tick()
        second.tick()
        told = near.client.wait(submitted.render)
        assert told.state == "succeeded", (told.failed, told.skipped)
        assert len(told.ran) == 11
        assert near.jobs.generations[submitted.render] == 2


def test_a_job_that_comes_back_to_the_same_coordinator_is_kept_and_can_be_stopped() -> None:
    with near_farm() as near:
        near.post.lose = lambda _: True
        render = near.client.submit(near.toys.bind(*song(near.toys)), [MIXED]).render
        until(lambda: bool(near.post.sent))
        # Paused and resumed between two ticks, or taken after its lease: it is nobody's, and at once ours again.
        near.jobs.take_away(render)
        near.coordinators[0].tick()
        until(lambda: near.post.sent[-1].generation == 2)
        until(lambda: [one.name for one in threading.enumerate()].count(f"render-{render}") == 1)
        assert near.coordinators[0].busy() == 1
        near.jobs.state[render] = ("cancelled", {})
        near.coordinators[0].tick()
        until(lambda: near.coordinators[0].busy() == 0)


def test_a_job_is_seen_through_by_one_thread_of_a_coordinator_at_a_time() -> None:
    with near_farm() as near:
        near.post.lose = lambda _: True
        render = near.client.submit(near.toys.bind(*song(near.toys)), [MIXED]).render
        until(lambda: bool(near.post.sent))
        # Its lease ends unseen, and a wake comes before the tick.
        near.jobs.take_away(render)
        near.coordinators[0].take_jobs()
        until(lambda: near.post.sent[-1].generation == 2)
        assert [one.name for one in threading.enumerate()].count(f"render-{render}") == 1


def test_a_coordinator_that_lost_its_job_leaves_the_board_to_the_next() -> None:
    board, ref = MemoryBoard(), encode(1).ref
    held_up, next_one = LentBoard(board), LentBoard(board)
    next_one.put({MIXED: ref})
    held_up.close()
    assert next_one.take([MIXED]) == {MIXED: ref}


def test_a_render_somebody_stopped_has_no_result() -> None:
    with near_farm() as near:
        near.post.lose = lambda _: True
        submitted = near.client.submit(near.toys.bind(*song(near.toys)), [MIXED])
        until(lambda: bool(near.post.sent))
        near.jobs.state[submitted.render] = ("cancelled", {})
        near.work.stop(submitted.render)
        near.coordinators[0].tick()
        with pytest.raises(RenderEndedOtherwise, match="was cancelled"):
            near.client.wait(submitted.render)
        until(lambda: near.coordinators[0].busy() == 0)


def test_a_lost_blob_is_computed_again() -> None:
    with near_farm() as near:
        near.render(*song(near.toys))
        for digest in list(near.toys.blobs._blobs):
            near.toys.blobs._blobs[digest] = b"spoilt"
        result = near.render(*song(near.toys))
        assert result.state == "succeeded"
        assert np.array_equal(result.payloads[MIXED], expected())
