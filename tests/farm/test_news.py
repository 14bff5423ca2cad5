"""What coordinators hear in the moment it happens, before any message of Celery."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from redis import Redis
from tests.farm.waiting import until
from tests.farm.work_desk import RENDER

from quincunx_orchestrator.farm.job_store import RedisJobStore
from quincunx_orchestrator.farm.news import listen
from quincunx_orchestrator.farm.submission import Accepted, Submission
from quincunx_shared.farm.redis_work_state import RedisWorkState
from quincunx_shared.farm.render_keys import news_channel
from quincunx_shared.farm.work_state import Finished
from quincunx_shared.names import Digest, RenderId


class Listener:
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []

    def wake(self, render: RenderId) -> None:
        self.heard.append(("wake", render))

    def stir(self, render: RenderId) -> None:
        self.heard.append(("stir", render))


@contextmanager
def listening(redis: Redis) -> Iterator[Listener]:
    redis.flushall()
    ending, listener = threading.Event(), Listener()
    thread = threading.Thread(target=listen, args=(redis, "qx", listener, ending))
    thread.start()
    until(lambda: dict(redis.pubsub_numsub(news_channel("qx")))[b"qx:news"] == 1)
    try:
        yield listener
    finally:
        ending.set()
        thread.join()


def test_a_stage_is_told_to_be_over_with_its_last_bundle(redis: Redis) -> None:
    work = RedisWorkState(redis, "qx")
    with listening(redis) as listener:
        work.release(RENDER, 1, {"1/a/mix": b"a", "1/b/mix": b"b"})
        grant = work.lease(RENDER, ["1/a/mix", "1/b/mix"], "one")
        work.finish(RENDER, grant.token, [Finished("1/a/mix", b"ended", {}, [])])
        redis.publish(news_channel("qx"), "a word nobody knows")
        redis.publish(news_channel("qx"), b"\xff\xfe")
        work.finish(RENDER, grant.token, [Finished("1/b/mix", b"ended", {}, [])])
        until(lambda: listener.heard)
        assert listener.heard == [("stir", RENDER)]


def test_a_job_is_told_of_when_it_is_accepted(redis: Redis) -> None:
    with listening(redis) as listener:
        RedisJobStore(redis, "qx").submit(Accepted(RenderId("r7"), Digest("0" * 64), "work", Submission()))
        until(lambda: listener.heard)
        assert listener.heard == [("wake", "r7")]
