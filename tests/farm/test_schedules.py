"""Jobs at set times: when they are due, that each run is submitted once, and that none is lost with Redis."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quincunx_orchestrator.farm.job_store import RedisJobStore
from quincunx_orchestrator.farm.schedule import Schedule, next_due
from quincunx_orchestrator.farm.schedule_store import Planned, RedisSchedules
from quincunx_orchestrator.farm.submission import Accepted, Submission
from quincunx_shared.errors import BadInput
from quincunx_shared.names import Digest, RenderId
from quincunx_shared.ports import Documents
from quincunx_shared.stores.documents import MemoryDocuments

if TYPE_CHECKING:
    from redis import Redis

JOB = Accepted(RenderId("template"), Digest("0" * 64), "work", Submission("song.ustx", "key", "background", ("night",)))
EVERY_SECOND = Schedule("tick", "* * * * * *", JOB)
YEARLY = Schedule("yearly", "30 3 1 1 *", JOB)


@pytest.fixture
def documents() -> Documents:
    return MemoryDocuments()


@pytest.fixture
def jobs(redis: Redis) -> RedisJobStore:
    return RedisJobStore(redis, "qx")


@pytest.fixture
def schedules(redis: Redis, jobs: RedisJobStore, documents: Documents) -> RedisSchedules:
    return RedisSchedules(redis, "qx", jobs, documents)


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def make_due(redis: Redis, name: str, seconds_ago: int = 5) -> None:
    redis.zadd("qx:schedules:due", {name: redis.time()[0] - seconds_ago})


@pytest.mark.parametrize(
    ("when", "zone", "due"),
    [
        ("30 3 * * *", "UTC", "2026-11-22T03:30"),
        ("30 3 * * mon-fri", "UTC", "2026-11-23T03:30"),
        ("30 3 * * *", "Asia/Shanghai", "2026-11-21T19:30"),
        ("*/10 * * * * *", "UTC", "2026-11-21T12:00:10"),
        ("2026-12-01T03:30", "UTC", "2026-12-01T03:30"),
        ("2026-12-01T03:30", "Europe/Paris", "2026-12-01T02:30"),
        ("2026-12-01T03:30+09:00", "Europe/Paris", "2026-11-30T18:30"),
    ],
)
def test_when_a_schedule_is_due(when: str, zone: str, due: str) -> None:
    assert next_due(when, zone, at("2026-11-21T12:00")) == at(due)


@pytest.mark.parametrize(
    ("field", "schedule"),
    [
        ("when", Schedule("a", "every tuesday", JOB)),
        ("when", Schedule("a", "61 * * * *", JOB)),
        ("when", Schedule("a", "0 0 31 2 *", JOB)),
        ("when", Schedule("a", "", JOB)),
        ("when", Schedule("a", "2020-01-01T00:00", JOB)),
        ("zone", Schedule("a", "30 3 * * *", JOB, "Mars/Olympus")),
        ("name", Schedule("../a", "30 3 * * *", JOB)),
    ],
)
def test_a_schedule_that_cannot_be_is_refused_when_it_is_set(
    schedules: RedisSchedules, documents: Documents, field: str, schedule: Schedule
) -> None:
    with pytest.raises(BadInput) as told:
        schedules.set(schedule)
    assert told.value.where == field
    assert schedules.all() == []
    assert documents.names() == []


@given(st.sampled_from(["* * * * * *", "*/7 * * * *", "30 3 * * mon"]), st.floats(0, 4e9))
def test_it_is_never_due_twice_in_one_second(when: str, after: float) -> None:
    due = next_due(when, "UTC", after)
    assert due is not None
    assert int(due) > int(after)


@pytest.mark.parametrize("when", ["30 2 * * *", "30 2-3 * * *", "*/10 * * * *", "* * * * * *"])
def test_where_clocks_are_set_back_it_is_never_due_in_the_past(when: str) -> None:
    begin = at("2026-10-24T23:50")
    for minute in range(0, 200, 7):
        due = next_due(when, "Europe/Paris", begin + 60 * minute)
        assert due is not None
        assert due > begin + 60 * minute


def test_what_was_due_while_redis_had_lost_it_runs_once(
    redis: Redis, schedules: RedisSchedules, documents: Documents
) -> None:
    schedules.set(EVERY_SECOND)
    make_due(redis, "tick", seconds_ago=7200)
    (first,) = schedules.run_due()
    ran = documents.get("scheduled/tick") or b""
    assert float(ran) >= redis.time()[0] - 60
    documents.put("scheduled/tick", repr(float(ran) - 3600).encode())
    redis.flushall()
    assert schedules.restore() == 1
    assert schedules.all()[0].due == int(float(ran)) - 3600 + 1
    (second,) = schedules.run_due()
    assert first != second
    assert schedules.all()[0].due > redis.time()[0] - 1


def test_nothing_is_submitted_before_its_time(schedules: RedisSchedules, jobs: RedisJobStore) -> None:
    due = schedules.set(YEARLY)
    assert schedules.run_due() == []
    assert schedules.all() == [Planned(YEARLY, due)]
    assert jobs.jobs() == []


def test_what_is_due_is_submitted_as_it_was_set_and_due_again_later(
    redis: Redis, schedules: RedisSchedules, jobs: RedisJobStore, documents: Documents
) -> None:
    due = schedules.set(YEARLY)
    make_due(redis, "yearly")
    (render,) = schedules.run_due()
    record = jobs.get(render)
    assert record is not None
    assert (record.state, record.song, record.priority, record.tags) == (
        "pending",
        "song.ustx",
        "background",
        ("night",),
    )
    assert record.order == JOB.order
    assert documents.names() == [f"orders/{render}", "scheduled/yearly", "schedules/yearly"]
    assert schedules.all() == [Planned(YEARLY, due)]
    assert schedules.run_due() == []


def test_what_was_missed_runs_once(redis: Redis, schedules: RedisSchedules, jobs: RedisJobStore) -> None:
    schedules.set(EVERY_SECOND)
    make_due(redis, "tick", seconds_ago=3600)
    (render,) = schedules.run_due()
    assert [one.render for one in jobs.jobs()] == [render]
    assert schedules.all()[0].due > redis.time()[0] - 1


def test_many_coordinators_submit_each_run_once(
    redis: Redis, schedules: RedisSchedules, jobs: RedisJobStore, documents: Documents
) -> None:
    names = [f"s{number}" for number in range(10)]
    for number, name in enumerate(names):
        schedules.set(Schedule(name, YEARLY.when, Accepted(JOB.render, JOB.order, f"work{number}", Submission())))
        make_due(redis, name)
    others = [RedisSchedules(redis, "qx", jobs, documents) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda one: one.run_due(), others))
    assert len(jobs.jobs()) == 10
    assert jobs.waiting()["user"] == 10
    assert len(documents.names("orders/")) == 10


def test_a_coordinator_that_dies_before_it_moved_on_submits_nothing_twice(
    redis: Redis, schedules: RedisSchedules, jobs: RedisJobStore
) -> None:
    schedules.set(YEARLY)
    make_due(redis, "yearly")
    was_due = redis.zscore("qx:schedules:due", "yearly")
    (render,) = schedules.run_due()
    claim = jobs.claim_next("anna")
    assert claim is not None
    jobs.end(render, claim.token, "succeeded", {})
    redis.zadd("qx:schedules:due", {"yearly": was_due or 0.0})
    assert schedules.run_due() == [render]
    assert [one.state for one in jobs.jobs()] == ["succeeded"]


def test_a_full_queue_lets_it_wait(redis: Redis, schedules: RedisSchedules, jobs: RedisJobStore) -> None:
    small = Submission(limit=1)
    jobs.submit(Accepted(RenderId("first"), JOB.order, "first", small))
    schedules.set(Schedule("a", YEARLY.when, Accepted(JOB.render, JOB.order, "work", small)))
    make_due(redis, "a")
    assert schedules.run_due() == []
    jobs.cancel(RenderId("first"))
    assert len(schedules.run_due()) == 1


def test_one_shot_runs_once_and_is_gone(redis: Redis, schedules: RedisSchedules, documents: Documents) -> None:
    schedules.set(Schedule("once", "2099-01-01T00:00", JOB))
    make_due(redis, "once")
    (render,) = schedules.run_due()
    assert schedules.all() == []
    assert documents.names() == [f"orders/{render}"]


def test_what_is_removed_runs_no_more(redis: Redis, schedules: RedisSchedules, documents: Documents) -> None:
    schedules.set(YEARLY)
    make_due(redis, "yearly")
    assert schedules.remove("yearly")
    assert not schedules.remove("yearly")
    assert schedules.run_due() == []
    assert schedules.restore() == 0
    assert documents.names() == []


def test_a_schedule_that_cannot_be_read_keeps_none_of_the_others_waiting(
    redis: Redis, schedules: RedisSchedules, documents: Documents
) -> None:
    due = schedules.set(YEARLY)
    documents.put("schedules/broken", b"of another version")
    redis.flushall()
    assert schedules.restore() == 1
    assert schedules.all() == [Planned(YEARLY, due)]


def test_schedules_outlive_a_redis_that_lost_everything(redis: Redis, schedules: RedisSchedules) -> None:
    due = schedules.set(YEARLY)
    late = schedules.set(Schedule("once", "2099-01-01T00:00", JOB))
    redis.flushall()
    assert schedules.run_due() == []
    assert schedules.restore() == 2
    assert schedules.restore() == 0
    assert schedules.all() == [Planned(YEARLY, due), Planned(Schedule("once", "2099-01-01T00:00", JOB), late)]
