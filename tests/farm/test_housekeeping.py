"""A Redis that lost everything loses no job and no record; nothing is left behind of jobs that are over."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import pytest

from quincunx_orchestrator.core.lanes import Barrier
from quincunx_orchestrator.farm.housekeeping import Housekeeper
from quincunx_orchestrator.farm.job_store import QueueFull, RedisJobStore
from quincunx_orchestrator.farm.pins import Pin, Pins
from quincunx_orchestrator.farm.submission import Accepted, Submission, accepted_to_bytes, document_name
from quincunx_shared.farm.nodes import Node
from quincunx_shared.farm.queues import control_queue
from quincunx_shared.farm.step_counts import PLANNED_STEPS, named
from quincunx_shared.names import Digest, RenderId, Signature
from quincunx_shared.stores.documents import MemoryDocuments
from quincunx_shared.stores.journal import RECORDS, JournalledIndex
from quincunx_shared.stores.memory import MemoryIndex

if TYPE_CHECKING:
    from redis import Redis

HOW = Submission("song.ustx", "key", "background", ("night",), barrier=Barrier("wave", 3))


@pytest.fixture
def keeper(redis: Redis) -> Housekeeper:
    rebuilt: list[int] = []
    return Housekeeper(redis, "qx", RedisJobStore(redis, "qx"), MemoryDocuments(), lambda: rebuilt.append(1) or 7)  # type: ignore[func-returns-value]


def accepted(name: str) -> Accepted:
    return Accepted(RenderId(name), Digest("0" * 64), f"work {name}", HOW)


def test_an_emptied_redis_gets_its_jobs_and_its_records_again(redis: Redis, keeper: Housekeeper) -> None:
    keeper.jobs.submit(accepted("one"))
    keeper.look()
    before = keeper.jobs.get(RenderId("one"))
    redis.flushall()
    keeper.look()
    after = keeper.jobs.get(RenderId("one"))
    assert before is not None
    assert after is not None
    assert (after.state, after.priority, after.tags, after.barrier, after.window, after.fingerprint) == (
        "pending",
        "background",
        ("night",),
        "wave",
        3,
        before.fingerprint,
    )
    assert redis.exists("qx:epoch")


def test_a_pin_follows_its_song_while_its_jobs_are_remembered(keeper: Housekeeper) -> None:
    pins = Pins(keeper.documents)
    pins.set(Pin("key", "/songs/song.ustx", Digest("0" * 64)))
    pins.set(Pin("of another song", "/songs/other.ustx", Digest("3" * 64)))
    keeper.jobs.submit(replace(accepted("one"), order=Digest("1" * 64)))
    claim = keeper.jobs.claim_next("ben-1")
    assert claim is not None
    assert keeper.jobs.end(claim.render, claim.token, "partial", {})
    keeper.jobs.submit(replace(accepted("two"), order=Digest("2" * 64)))
    keeper.jobs.cancel(RenderId("two"))
    keeper.tidy()
    assert {one.path: one.order[0] for one in pins.all()} == {"/songs/song.ustx": "1", "/songs/other.ustx": "3"}


def test_the_index_is_rebuilt_once_an_epoch(redis: Redis) -> None:
    calls: list[int] = []

    def rebuild() -> int:
        calls.append(1)
        return 0

    keeper = Housekeeper(redis, "qx", RedisJobStore(redis, "qx"), MemoryDocuments(), rebuild)
    keeper.look()
    keeper.look()
    assert len(calls) == 1
    redis.flushall()
    keeper.look()
    assert len(calls) == 2


def test_the_journal_is_joined_once_an_hour(redis: Redis, keeper: Housekeeper) -> None:
    def journal(number: int) -> None:
        index = JournalledIndex(MemoryIndex(), keeper.documents, now=lambda: 1.0)
        index.add({Signature(f"{number:064x}"): ()})
        index.close()

    for number in range(4):
        journal(number)
    keeper.tidy()
    assert len(keeper.documents.names(RECORDS)) == 1
    for number in range(4, 8):
        journal(number)
    keeper.tidy()
    assert len(keeper.documents.names(RECORDS)) == 5
    assert 0 < redis.ttl("qx:housekeeping:journal") <= 3600


def test_the_document_of_a_job_that_is_over_goes(keeper: Housekeeper) -> None:
    keeper.jobs.submit(accepted("one"))
    keeper.look()
    assert keeper.documents.names("orders/") == ["orders/one"]
    keeper.jobs.cancel(RenderId("one"))
    keeper.look()
    assert keeper.documents.names("orders/") == []


def test_a_job_between_its_document_and_its_acceptance_is_accepted_once(keeper: Housekeeper) -> None:
    job = accepted("one")
    keeper.documents.put(document_name(job.render), accepted_to_bytes(job))
    keeper.look()
    assert keeper.jobs.submit(job) == ("one", False, ())


def test_lost_jobs_of_one_song_are_queued_again_as_they_came(keeper: Housekeeper) -> None:
    for name, came in (("b", 2.0), ("a", 3.0), ("c", 1.0)):
        job = replace(accepted(name), submitted_at=came)
        keeper.documents.put(document_name(job.render), accepted_to_bytes(job))
    keeper.look()
    states = {one.render: one.state for one in keeper.jobs.jobs()}
    assert states == {"a": "pending", "b": "superseded", "c": "superseded"}
    keeper.look()
    assert keeper.documents.names("orders/") == ["orders/a"]


def test_records_of_jobs_go_when_they_are_old(keeper: Housekeeper) -> None:
    keeper.jobs.submit(accepted("one"))
    keeper.jobs.cancel(RenderId("one"))
    keeper.look()
    assert keeper.jobs.get(RenderId("one")) is not None
    replace(keeper, keep_seconds=-10.0).look()
    assert keeper.jobs.get(RenderId("one")) is None


def test_only_one_looks_at_a_time(redis: Redis, keeper: Housekeeper) -> None:
    redis.set("qx:housekeeping", "1")
    keeper.look()
    assert not redis.exists("qx:epoch")


def test_the_queue_of_a_coordinator_that_died_goes(redis: Redis, keeper: Housekeeper) -> None:
    node = Node("anna", "coordinator", "here", 1, "1")
    now = float(redis.time()[0])
    for name, seen_at in (("anna", now - 60), ("bert", now)):
        told = {**asdict(replace(node, name=name)), "seen_at": seen_at}
        redis.hset("qx:nodes", name, json.dumps(told))
        redis.lpush(f"qx:celery:{control_queue(name)}", "a message")
    keeper.look()
    assert redis.exists("qx:celery:quincunx.control.anna") == 0
    assert redis.llen("qx:celery:quincunx.control.bert") == 1


def test_an_emptied_redis_knows_again_what_became_of_jobs(redis: Redis, keeper: Housekeeper) -> None:
    for name in ("one", "two"):
        keeper.jobs.submit(replace(accepted(name), how=replace(HOW, song_key=name)))
    claim = keeper.jobs.claim_next("anna")
    assert claim is not None
    keeper.jobs.end(claim.render, claim.token, "partial", {"counts": {"run": 3, "failed": 1}})
    keeper.look()
    keeper.jobs.cancel(RenderId("two"), "a mistake")
    keeper.look()
    before = keeper.jobs.jobs()
    assert [one.state for one in before] == ["cancelled", "partial"]
    redis.flushall()
    keeper.look()
    assert keeper.jobs.jobs() == before
    keeper.look()
    assert keeper.jobs.jobs() == before
    assert keeper.documents.names("orders/") == []


def test_a_paused_job_that_redis_lost_is_paused_again(redis: Redis, keeper: Housekeeper) -> None:
    keeper.jobs.submit(accepted("one"))
    keeper.jobs.pause(RenderId("one"), "lunch")
    keeper.look()
    redis.flushall()
    keeper.look()
    record = keeper.jobs.get(RenderId("one"))
    assert record is not None
    assert (record.state, record.note, record.priority, record.song) == ("paused", "lunch", "background", "song.ustx")
    assert keeper.jobs.claim_next("anna") is None
    assert keeper.jobs.submit(replace(accepted("again"), fingerprint="work one"))[:2] == ("one", True)
    assert keeper.jobs.resume(RenderId("one")) == "paused"
    keeper.look()
    assert keeper.documents.names() == ["orders/one"]
    claim = keeper.jobs.claim_next("anna")
    assert claim is not None
    assert claim.render == "one"


def test_the_history_goes_with_its_time(keeper: Housekeeper) -> None:
    keeper.documents.put("history/0000000007", b"{}")
    keeper.jobs.submit(accepted("one"))
    keeper.jobs.cancel(RenderId("one"))
    keeper.look()
    (name,) = keeper.documents.names("history/")
    assert list(json.loads(keeper.documents.get(name) or b"")) == ["one"]


def test_what_was_known_as_a_whole_when_it_came_is_counted_once(keeper: Housekeeper) -> None:
    counted: list[Mapping[str, float]] = []
    counting = replace(keeper, count=counted.append)
    keeper.jobs.record_done(accepted("known"), {"counts": {"run": 0, "recalled": 40}})
    keeper.jobs.submit(accepted("seen through"))
    claim = keeper.jobs.claim_next("anna")
    assert claim is not None
    keeper.jobs.end(claim.render, claim.token, "succeeded", {"counts": {"run": 3, "recalled": 2}})
    counting.look()
    counting.look()
    assert counted == [{named(PLANNED_STEPS, "recalled"): 40}]


def test_coordinators_bound_the_queue_whatever_a_client_allows_itself(keeper: Housekeeper) -> None:
    replace(keeper, most_jobs=1).look()
    keeper.jobs.submit(accepted("one"))
    with pytest.raises(QueueFull, match="no more than 1"):
        keeper.jobs.submit(accepted("two"))
