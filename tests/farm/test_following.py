"""Following a job over a Redis that goes away, comes back, or has lost everything."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.farm.waiting import until

from quincunx_orchestrator.farm.following import follow_job
from quincunx_orchestrator.farm.housekeeping import Housekeeper
from quincunx_orchestrator.farm.job_store import RedisJobStore
from quincunx_orchestrator.farm.redis_server import RedisServer, start
from quincunx_orchestrator.farm.submission import Accepted, Submission, accepted_to_bytes, document_name
from quincunx_shared.errors import NotOnFarm
from quincunx_shared.events import Event, RenderEnded, StageStarted
from quincunx_shared.farm.redis_client import connect_to, is_outage
from quincunx_shared.farm.redis_events import RedisEventLog
from quincunx_shared.names import Digest, RenderId
from quincunx_shared.stores.documents import MemoryDocuments

R = RenderId("render")
JOB = Accepted(R, Digest("0" * 64), "work", Submission())


@dataclass
class Follower:
    """Somebody who follows the job on a thread of their own."""

    server: RedisServer
    documents: MemoryDocuments
    heard: list[Event] = field(default_factory=list)
    looks: int = 0
    error: Exception | None = None

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._follow, daemon=True)
        self.thread.start()

    def _follow(self) -> None:
        with closing(connect_to(self.server.url, timeout_seconds=0.5)) as client:
            jobs = RedisJobStore(client, "qx")
            try:
                for found in follow_job(jobs, R, is_accepted=self._is_accepted, patience_seconds=20.0):
                    self.looks += 1
                    if found is not None:
                        self.heard.append(found[1])
            except Exception as error:
                self.error = error

    def _is_accepted(self) -> bool:
        return self.documents.get(document_name(R)) is not None


@pytest.fixture
def own(tmp_path: Path) -> Iterator[RedisServer]:
    server = start(tmp_path / "redis")
    yield server
    server.kill()


@pytest.mark.parametrize("empty", [False, True], ids=["with what it had", "empty"])
def test_whoever_follows_does_not_mind_that_redis_is_killed(own: RedisServer, empty: bool) -> None:
    documents = MemoryDocuments()
    documents.put(document_name(R), accepted_to_bytes(JOB))
    with closing(connect_to(own.url)) as client:
        jobs, log = RedisJobStore(client, "qx"), RedisEventLog(client, "qx", R)
        jobs.submit(JOB)
        log.append(StageStarted(R, 0, 1))
        follower = Follower(own, documents)
        until(lambda: len(follower.heard) == 1)
        if not empty:
            # On a slow disk, what was answered may not be written yet.
            client.waitaof(1, 0, 10_000)
        own.kill()
        looks = follower.looks
        if empty:
            own.forget()
        until(lambda: follower.looks > looks)
        own.launch()
        if empty:
            looks = follower.looks
            until(lambda: follower.looks > looks)
            Housekeeper(client, "qx", jobs, documents, lambda: 0).look()
        claim = jobs.claim_next("anna")
        assert claim is not None
        log.append(StageStarted(R, 1, 1))
        assert jobs.end(R, claim.token, "succeeded", {})
        follower.thread.join(20)
        assert follower.error is None
        assert follower.heard == [StageStarted(R, 0, 1), StageStarted(R, 1, 1), RenderEnded(R, "succeeded")]


def test_a_job_that_nobody_accepted_is_not_waited_for(own: RedisServer) -> None:
    with closing(connect_to(own.url)) as client, pytest.raises(NotOnFarm):
        list(follow_job(RedisJobStore(client, "qx"), R))


def test_patience_ends(own: RedisServer) -> None:
    with closing(connect_to(own.url, timeout_seconds=0.1)) as client:
        jobs = RedisJobStore(client, "qx")
        own.kill()
        with pytest.raises(Exception, match=r".") as told:
            list(follow_job(jobs, R, patience_seconds=0.3))
        assert is_outage(told.value)
