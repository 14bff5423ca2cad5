"""The jobs of a farm: who is served when, who may end what, and what a cancel answers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from redis import Redis
from tests.farm.waiting import until

from quincunx_orchestrator.farm.job import (
    ACTIVE,
    AGEING_TURN,
    COMES_FROM,
    MOST_LAPSES,
    PRIORITIES,
    TERMINAL,
    Claim,
    JobState,
    Priority,
    cancel_answer,
)
from quincunx_orchestrator.farm.job_store import QueueFull, RedisJobStore
from quincunx_orchestrator.farm.submission import Accepted, Submission
from quincunx_shared.events import RenderEnded
from quincunx_shared.farm.render_keys import EVENT_FIELD, EVENTS, render_key
from quincunx_shared.farm.wire import event_from_json
from quincunx_shared.names import Digest, RenderId

ORDER = Digest("0" * 64)


@pytest.fixture
def client(redis: Redis) -> Redis:
    return redis


@pytest.fixture
def store(client: Redis) -> RedisJobStore:
    client.flushall()
    return RedisJobStore(client, "qx")


def submit(store: RedisJobStore, name: str, work: str = "", **how: object) -> RenderId:
    accepted, _, _ = store.submit(Accepted(RenderId(name), ORDER, work or name, Submission(**how)))  # type: ignore[arg-type]
    return accepted


def claimed(store: RedisJobStore, coordinator: str = "anna") -> Claim:
    claim = store.claim_next(coordinator)
    assert claim is not None
    return claim


def state(store: RedisJobStore, name: str) -> JobState:
    record = store.get(RenderId(name))
    assert record is not None
    return record.state


def test_classes_in_order_and_first_come_first_served_inside_a_class(store: RedisJobStore) -> None:
    for name, priority in [
        ("b1", "background"),
        ("u1", "user"),
        ("s1", "system"),
        ("u2", "user"),
        ("b2", "background"),
    ]:
        submit(store, name, priority=priority)
    assert store.ahead_of(RenderId("u2")) == 2
    assert [claimed(store).render for _ in range(5)] == ["s1", "u1", "u2", "b1", "b2"]
    assert store.claim_next("anna") is None


def test_a_coordinator_takes_jobs_of_the_classes_for_which_it_has_room(client: Redis, store: RedisJobStore) -> None:
    for name, priority in (("b1", "background"), ("u1", "user"), ("b2", "background")):
        submit(store, name, priority=priority)
    assert claimed(store).render == "u1"
    assert store.claim_next("anna", ("system", "user")) is None
    assert claimed(store).render == "b1"
    # Its coordinator dies; another that has no room for it leaves it to a third.
    client.zadd("qx:running", {"b1": 1})
    assert store.claim_next("bert", ("system", "user")) is None
    taken = store.claim_next("carl", ("system", "user", "background"))
    assert taken is not None
    assert taken.render == "b1"
    assert client.hget("qx:job:b1", "lapses") == b"1"


def test_a_job_tells_once_that_it_ended(client: Redis, store: RedisJobStore) -> None:
    def told(name: str) -> list[object]:
        entries: Any = client.xrange(render_key("qx", RenderId(name), EVENTS))
        return [event_from_json(fields[EVENT_FIELD.encode()]) for _, fields in entries]

    submit(store, "one")
    claim = claimed(store)
    assert store.end(claim.render, claim.token, "partial", {})
    assert not store.end(claim.render, claim.token, "failed", {})
    assert store.cancel(claim.render) == "already ended"
    assert told("one") == [RenderEnded(RenderId("one"), "partial")]
    submit(store, "two")
    store.cancel(RenderId("two"))
    store.cancel(RenderId("two"))
    assert told("two") == [RenderEnded(RenderId("two"), "cancelled")]


def test_a_full_queue_refuses_and_takes_again_when_there_is_room(store: RedisJobStore) -> None:
    submit(store, "one", limit=2)
    submit(store, "two", limit=2)
    with pytest.raises(QueueFull, match="2 jobs are waiting"):
        submit(store, "three", limit=2)
    assert store.get(RenderId("three")) is None
    claimed(store)
    assert submit(store, "three", limit=2) == "three"


def test_the_same_work_is_the_active_job_until_it_has_ended(store: RedisJobStore) -> None:
    submit(store, "first", work="the same")
    assert submit(store, "second", work="the same") == "first"
    claim = claimed(store)
    assert submit(store, "third", work="the same") == "first"
    assert store.end(claim.render, claim.token, "succeeded", {})
    assert submit(store, "fourth", work="the same") == "fourth"


def test_a_newer_render_of_a_song_supersedes_the_older(store: RedisJobStore) -> None:
    submit(store, "old", song_key="song")
    claim = claimed(store)
    answer = store.submit(Accepted(RenderId("new"), ORDER, "new", Submission(song_key="song")))
    assert answer == ("new", False, ("old",))
    assert state(store, "old") == "superseded"
    assert not store.renew(claim.render, claim.token)
    assert not store.end(claim.render, claim.token, "succeeded", {})
    assert (
        store.submit(Accepted(RenderId("beside"), ORDER, "beside", Submission(song_key="song", supersede=False)))[2]
        == ()
    )
    assert state(store, "new") == "pending"


def test_who_lost_its_lease_cannot_end_the_job(client: Redis) -> None:
    client.flushall()
    store = RedisJobStore(client, "qx", lease_seconds=0.05)
    submit(store, "one")
    first = claimed(store, "anna")
    until(lambda: (found := store.claim_next("bert")) is not None and found.generation == 2)
    assert not store.end(first.render, first.token, "failed", {})
    assert not store.renew(first.render, first.token)
    record = store.get(first.render)
    assert record is not None
    assert (record.owner, record.state) == ("bert", "running")


def test_a_job_that_kills_its_coordinators_fails_in_the_end(client: Redis, store: RedisJobStore) -> None:
    submit(store, "one")
    for _ in range(2 * MOST_LAPSES):
        claim = store.claim_next("anna")
        if claim is None:
            break
        client.zadd("qx:running", {"one": 1})
    assert store.ended(RenderId("one")) == ("failed", {"error": "its coordinators died or were cut off 100 times"})
    assert endings(store, "one") == [RenderEnded(RenderId("one"), "failed")]
    submit(store, "two")
    for _ in range(2 * MOST_LAPSES):
        claim = claimed(store)
        assert store.release(claim.render, claim.token)


def test_a_job_that_is_let_go_is_taken_at_once(store: RedisJobStore) -> None:
    submit(store, "one")
    first = claimed(store, "anna")
    assert store.claim_next("bert") is None
    assert store.release(first.render, first.token)
    assert claimed(store, "bert").generation == 2


def test_a_job_that_met_an_error_is_tried_again_after_a_while(client: Redis, store: RedisJobStore) -> None:
    submit(store, "one")
    first = claimed(store, "anna")
    assert store.postpone(first.render, first.token, 0.05, "S3 does not answer")
    record = store.get(first.render)
    assert record is not None
    assert (record.state, record.note, record.troubles) == ("running", "S3 does not answer", 1)
    assert store.claim_next("bert") is None
    second = until(lambda: store.claim_next("bert"))
    assert second is not None
    assert (second.generation, second.troubles) == (2, 1)
    assert not store.postpone(first.render, first.token, 0, "too late")
    for troubles in range(2, 2 * MOST_LAPSES):
        assert store.postpone(second.render, second.token, 0, "again"), "that is nobody's death"
        second = claimed(store)
        assert second.troubles == troubles
    assert second.troubled_seconds > 0.05
    # Once it has held for long enough, what comes next is another trouble.
    client.hset("qx:job:one", "troubled_at", 1)
    assert store.postpone(second.render, second.token, 0, "another")
    third = claimed(store)
    assert (third.troubles, third.troubled_seconds) == (1, 0.0)
    told = store.get(third.render)
    assert told is not None
    assert told.note == ""


def test_cancel_answers(store: RedisJobStore) -> None:
    assert store.cancel(RenderId("nobody")) == "not found"
    submit(store, "one")
    assert store.cancel(RenderId("one"), "I said so") == "cancelled"
    assert store.cancel(RenderId("one")) == "already cancelled"
    assert store.claim_next("anna") is None
    submit(store, "two")
    claim = claimed(store)
    store.end(claim.render, claim.token, "partial", {"failed": 1})
    assert store.cancel(RenderId("two")) == "already ended"
    record = store.get(RenderId("two"))
    assert record is not None
    assert (record.state, record.result) == ("partial", {"failed": 1})


def test_a_paused_job_waits_and_keeps_its_place(store: RedisJobStore) -> None:
    submit(store, "one")
    submit(store, "two")
    assert store.pause(RenderId("one"), "lunch") == "pending"
    assert claimed(store).render == "two"
    assert store.resume(RenderId("one")) == "paused"
    submit(store, "three")
    first = claimed(store)
    assert first.render == "one"
    assert store.pause(RenderId("one")) == "running"
    assert not store.renew(first.render, first.token)


def test_another_class_moves_a_job(store: RedisJobStore) -> None:
    submit(store, "one")
    submit(store, "two", priority="background")
    store.rank(RenderId("two"), "system")
    claim = claimed(store)
    assert (claim.render, claim.priority) == ("two", "system")
    store.rank(RenderId("two"), "background")
    assert store.renew(claim.render, claim.token) == "background"


def test_what_is_asked_again_because_its_answer_was_lost_is_done_once(store: RedisJobStore) -> None:
    submit(store, "old", song_key="song")
    job = Accepted(RenderId("new"), ORDER, "new", Submission(song_key="song"))
    for _ in range(2):
        assert store.submit(job) == ("new", False, ("old",))
    assert store.waiting() == {"system": 0, "user": 1, "background": 0}
    submit(store, "other")
    for _ in range(2):
        # Whoever asks again under one token has not heard that it was given a job.
        assert store._run("CLAIM", "anna", "one token", 15, 600, 8, 100, "user") == "new"
    assert store.cancel(RenderId("other")) == "cancelled"
    for _ in range(2):
        assert store.end(RenderId("new"), "one token", "succeeded", {})
    assert store.submit(job) == ("new", False, ("old",)), "and it is not rendered again"
    assert store.claim_next("anna") is None
    submit(store, "third")
    for _ in range(2):
        assert store._run("STOP", "third", "cancelled", "", "one asker") == "pending"
    assert store.cancel(RenderId("third")) == "already cancelled"
    assert [len(endings(store, name)) for name in ("old", "new", "third")] == [1, 1, 1]


def endings(store: RedisJobStore, name: str) -> list[RenderEnded]:
    return [event for _, event in store.follow(RenderId(name), 0, 0) if isinstance(event, RenderEnded)]


def test_a_job_that_was_done_when_it_came_tells_so_and_supersedes(store: RedisJobStore) -> None:
    submit(store, "old", song_key="song")
    done = Accepted(RenderId("new"), ORDER, "new", Submission(song_key="song"))
    for _ in range(2):
        assert store.record_done(done, {"digest": "d"}) == ("old",)
    assert state(store, "old") == "superseded"
    assert endings(store, "new") == [RenderEnded(RenderId("new"), "succeeded")]
    assert store.ended(RenderId("new")) == ("succeeded", {"digest": "d"})


def test_a_job_that_was_done_when_it_came_leaves_the_one_of_the_same_work_to_its_end(store: RedisJobStore) -> None:
    submit(store, "under way", work="same", song_key="song")
    claim = claimed(store)
    done = Accepted(RenderId("new"), ORDER, "same", Submission(song_key="song"))
    assert store.record_done(done, {}) == ()
    assert store.end(claim.render, claim.token, "succeeded", {})
    assert state(store, "under way") == "succeeded"


def test_an_old_job_is_served_among_many_of_higher_classes(client: Redis) -> None:
    store = RedisJobStore(client, "qx", ageing_seconds=0.0)
    submit(store, "old", priority="background")
    for number in range(20):
        submit(store, f"new{number}", priority="system")
    served = [claimed(store).render for _ in range(AGEING_TURN)]
    assert served == [*(f"new{number}" for number in range(AGEING_TURN - 1)), "old"]
    patient = RedisJobStore(client, "qx")
    submit(patient, "late", priority="background")
    assert "late" not in [claimed(patient).render for _ in range(13)]


def test_jobs_are_listed_found_and_forgotten(store: RedisJobStore) -> None:
    submit(store, "abc1", song="song.ustx", tags=("night",))
    store.record_done(Accepted(RenderId("abd2"), ORDER, "two", Submission(song="done.ustx")), {"counts": {"run": 0}})
    assert [one.render for one in store.jobs()] == ["abd2", "abc1"]
    assert [one.render for one in store.jobs(["pending"])] == ["abc1"]
    assert store.find("abc") == ["abc1"]
    done = store.get(RenderId("abd2"))
    assert done is not None
    assert (done.state, done.song, done.result) == ("succeeded", "done.ustx", {"counts": {"run": 0}})
    assert store.forget_before(done.ended_at + 1) == 1
    assert [one.render for one in store.jobs()] == ["abc1"]


def test_every_answer_to_a_cancel_is_one_of_four() -> None:
    assert {cancel_answer(one) for one in (*COMES_FROM, None)} == {
        "cancelled",
        "not found",
        "already ended",
        "already cancelled",
    }


class Jobs(RuleBasedStateMachine):
    """Anything in any order: a job changes only as the decider allows, and none is ever lost."""

    client: Redis

    def __init__(self) -> None:
        super().__init__()
        self.client.flushall()
        self.store = RedisJobStore(self.client, "qx")
        self.known: dict[RenderId, JobState] = {}
        self.claims: list[Claim] = []

    @rule(work=st.integers(0, 5), song=st.sampled_from(["", "a", "b"]), priority=st.sampled_from(PRIORITIES))
    def submit(self, work: int, song: str, priority: Priority) -> None:
        name = RenderId(f"r{len(self.known)}")
        how = Submission(song_key=song, priority=priority)
        accepted, existing, _ = self.store.submit(Accepted(name, ORDER, f"work{work}", how))
        assert existing == (accepted != name)
        if not existing:
            self.known[name] = "pending"

    @rule()
    def claim(self) -> None:
        states = self.states()
        claim = self.store.claim_next("anna")
        # One that was let go counts as running until somebody takes it.
        assert claim is not None or "pending" not in states.values()
        if claim:
            assert states[claim.render] in ("pending", "running")
            self.claims.append(claim)

    @rule(number=st.integers(0, 9), state=st.sampled_from(["succeeded", "failed"]))
    def end(self, number: int, state: str) -> None:
        if self.claims:
            claim = self.claims[number % len(self.claims)]
            before = self.states()[claim.render]
            ended = self.store.end(claim.render, claim.token, state, {})
            assert not ended or before in ("running", state), "or it was ended by the same claim before"

    @rule(number=st.integers(0, 9), action=st.sampled_from(["cancel", "pause", "resume", "release"]))
    def act(self, number: int, action: str) -> None:
        if not self.known:
            return
        name = list(self.known)[number % len(self.known)]
        if action == "release":
            for claim in self.claims:
                self.store.release(claim.render, claim.token)
        else:
            getattr(self.store, action)(name)

    @invariant()
    def changes_are_allowed(self) -> None:
        for name, now in self.states().items():
            before = self.known[name]
            assert now == before or before in COMES_FROM[now] or (before in ACTIVE and now in ACTIVE)
            assert before not in TERMINAL or now == before
            self.known[name] = now
        active = {name for name, now in self.known.items() if now in ACTIVE}
        assert {one.render for one in self.store.jobs(ACTIVE, limit=1000)} == active

    def teardown(self) -> None:
        for name, now in self.states().items():
            told = [event.state for event in endings(self.store, name)]
            assert told == ([now] if now in TERMINAL else []), "one event says how it ended, and none says so before"

    def states(self) -> dict[RenderId, JobState]:
        return {one.render: one.state for one in self.store.jobs(limit=1000)}


def test_whatever_is_asked_for_in_whatever_order(client: Redis) -> None:
    Jobs.client = client
    allowed = [HealthCheck.too_slow]
    run_state_machine_as_test(
        Jobs, settings=settings(max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=allowed)
    )


def test_an_attempt_comes_after_all_that_was_released_for_the_job(store: RedisJobStore, client: Redis) -> None:
    """A Redis that lost the job may have heard of a later attempt before the job was queued anew."""
    submit(store, "r1")
    client.hset(render_key("qx", RenderId("r1"), "state"), "generation", 300)
    claim = store.claim_next("one")
    assert claim is not None
    assert claim.generation == 301
