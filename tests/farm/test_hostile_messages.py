"""Whatever lies on a queue: nothing of it is executed, and the worker is itself again within seconds."""

from __future__ import annotations

import base64
import json
import pickle
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.farm.waiting import until
from tests.farm.worker_desk import QUEUE, RENDER, WorkerDesk, bundle, worker_desk

from quincunx_orchestrator.farm.redis_server import RedisServer
from quincunx_shared.canonical import digest_of_bytes
from quincunx_shared.farm.celery_settings import ADVANCE, RUN_BUNDLES
from quincunx_shared.farm.counters import RedisCounters
from quincunx_shared.farm.messages import RunBundles, seal_advance
from quincunx_shared.farm.redis_time import RedisTime
from quincunx_shared.farm.step_counts import REFUSED, named
from quincunx_shared.names import Digest, RenderId

#: The farm is normal again within this time; a must.
NORMAL_SECONDS = 10.0


class Exploit:
    """What runs when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return (exec, (f"open({str(self.trace)!r}, 'a').write('pickled ')",))


@pytest.fixture
def desk(redis_server: RedisServer, tmp_path: Path) -> Iterator[WorkerDesk]:
    with worker_desk(redis_server.url, tmp_path) as one:
        yield one


def raw(desk: WorkerDesk, content: bytes | str) -> None:
    """Put bytes on the queue, as whoever can write to Redis could."""
    desk.client.lpush(f"qx:celery:{QUEUE}", content)


def message(body: bytes = b"[[], {}, {}]", **changes: Any) -> dict[str, Any]:
    """A message as Celery writes it."""
    headers = {"lang": "py", "task": RUN_BUNDLES, "id": "1", "root_id": "1", "parent_id": None, "group": None}
    properties = {
        "correlation_id": "1",
        "delivery_mode": 2,
        "delivery_info": {"exchange": "", "routing_key": QUEUE},
        "priority": 0,
        "body_encoding": "base64",
        "delivery_tag": "t1",
    }
    told = {
        "body": base64.b64encode(body).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": headers,
        "properties": properties,
    }
    return {**told, **changes}


def garbage(desk: WorkerDesk) -> list[bytes | str]:
    """Everything but a message of ours."""
    pickled = pickle.dumps(([Exploit(desk.trace)], {}, {}))
    binary = {"content-type": "application/x-python-serialize", "content-encoding": "binary"}
    headers = message()["headers"]
    return [
        b"\xff\xfe\x00",
        "",
        "{",
        "5",
        "null",
        "[]",
        "[" * 5000,
        "{}",
        pickled,
        json.dumps({"properties": {}}),
        json.dumps(message(headers=None)),
        json.dumps(message(headers=[])),
        json.dumps(message(headers={**headers, "task": ["a", "list"]})),
        json.dumps(message(headers={**headers, "task": {"a": "map"}})),
        json.dumps(message(headers={**headers, "task": "quincunx.unknown"})),
        json.dumps(message(headers={**headers, "task": "celery.backend_cleanup"})),
        json.dumps(message(b"[[1,[2]],{},{}]", headers={**headers, "task": "celery.map"})),
        json.dumps(message(headers={**headers, "eta": "never"})),
        json.dumps(message(headers={**headers, "expires": [1]})),
        json.dumps(message(headers={**headers, "timelimit": [0.001, 0.001]})),
        json.dumps(message(headers={**headers, "timelimit": "soon"})),
        json.dumps(message(headers={**headers, "chord": 5, "callbacks": "all", "retries": "many"})),
        json.dumps(message(pickled, **binary)),
        json.dumps(message(b"not json")),
        json.dumps(message(b"[[], {}]")),
        json.dumps(message(b'["qx1 aa {}", {}, {}]')),
        json.dumps(message(b'[[{"deep": 1}], {"envelope": [1]}, {"chain": [1], "chord": 3}]')),
        json.dumps({**message(), "body": "not base64 %%%"}),
        json.dumps({**message(), "content-type": "application/data", "content-encoding": "rot13"}),
    ]


def test_garbage_is_dropped_and_the_worker_goes_on(desk: WorkerDesk) -> None:
    with desk.worker(concurrency=2) as worker:
        for one in garbage(desk):
            raw(desk, one)
        began = time.monotonic()
        desk.send(desk.release([desk.toy("a")]))
        desk.wait_for("a", seconds=NORMAL_SECONDS)
        assert time.monotonic() - began < NORMAL_SECONDS
        assert worker.poll() is None
        until(lambda: not desk.client.llen(f"qx:celery:{QUEUE}"))
    assert desk.runs() == {"a": 1}


def test_forged_replayed_and_readdressed_messages_run_nothing(desk: WorkerDesk) -> None:
    with desk.worker():
        real = desk.release([desk.toy("a")])
        sealed = desk.sealed(real)
        other = seal_advance(RENDER, b"a key that only this farm knows", RedisTime(desk.client).now())
        changed = sealed.replace("1/a/toy", "1/b/toy")
        another = desk.release([desk.toy("b")])
        wrong = replace(real, bundles=another.bundles, digests=(Digest("0" * 64),))
        for text in (desk.sealed(another, b"another key"), changed, other, sealed[:-2], f"{sealed} ", "", None, 5):
            desk.app.send_task(RUN_BUNDLES, args=[text], queue=QUEUE, ignore_result=True)
        # Ours by its seal, but it does not name what lies in the work state.
        desk.send(wrong)
        for name in (ADVANCE, "celery.chunks", "os.system"):
            desk.app.send_task(name, args=[sealed], queue=QUEUE, ignore_result=True)
        desk.send(RunBundles(RenderId("nobody's"), 1, ("1/a/toy",), (Digest("0" * 64),)))
        for _ in range(5):
            desk.app.send_task(RUN_BUNDLES, args=[sealed], queue=QUEUE, ignore_result=True)
        desk.wait_for("a", seconds=NORMAL_SECONDS)
        refused = until(lambda: RedisCounters(desk.client, "qx").read().get(named(REFUSED, "forged")), 20)
    assert desk.runs() == {"a": 1}
    assert refused == 9
    assert set(desk.outcomes()) == {"a"}


def test_a_message_cannot_say_when_or_for_how_long_it_is_worked_on(desk: WorkerDesk) -> None:
    """Celery would hear of it before the seal is looked at."""
    with desk.worker() as worker:
        for name, told in (("a", {"time_limit": 0.2}), ("b", {"countdown": 3600})):
            sealed = desk.sealed(desk.release([desk.toy(name, seconds=0.5)]))
            desk.app.send_task(RUN_BUNDLES, args=[sealed], queue=QUEUE, ignore_result=True, **told)
            desk.wait_for(name, seconds=NORMAL_SECONDS)
        assert worker.poll() is None
    assert desk.runs() == {"a": 1, "b": 1}


def test_what_is_put_in_the_place_of_a_bundle_is_not_run(desk: WorkerDesk) -> None:
    with desk.worker():
        real = desk.release([desk.toy("a")])
        evil = b'["a","toy",0,"default",[],[]]'
        desk.client.hset(f"qx:{{{RENDER}}}:bundles", "1/a/toy", evil)
        desk.send(real)
        until(lambda: desk.work.refusals(RENDER))
        assert "was not what its message said" in desk.work.refusals(RENDER)["1/a/toy"]
        assert digest_of_bytes(evil) not in real.digests
        garbled = desk.release([bundle("g")])
        desk.client.hset(f"qx:{{{RENDER}}}:bundles", "1/g/toy", "no bundle at all")
        desk.send(replace(garbled, digests=(digest_of_bytes(b"no bundle at all"),)))
        desk.send(desk.release([desk.toy("b")]))
        desk.wait_for("b", seconds=NORMAL_SECONDS)
    assert desk.runs() == {"b": 1}
