"""What each user may do, tried on a real server with the file that the set-up writes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import pytest
from celery import Celery
from redis import Redis
from redis.exceptions import AuthenticationError, NoPermissionError

from quincunx_orchestrator.farm.celery_app import CeleryPost, new_app, send_wake
from quincunx_orchestrator.farm.dispatcher import Message
from quincunx_orchestrator.farm.housekeeping import Housekeeper
from quincunx_orchestrator.farm.job_store import RedisJobStore
from quincunx_orchestrator.farm.redis_server import RedisServer, ServerOptions, start
from quincunx_orchestrator.farm.schedule import Schedule
from quincunx_orchestrator.farm.schedule_store import RedisSchedules
from quincunx_orchestrator.farm.setup.secret_folder import SecretFolder
from quincunx_orchestrator.farm.submission import Accepted, Submission
from quincunx_shared.canonical import digest_of
from quincunx_shared.events import RenderEnded, StageStarted
from quincunx_shared.farm.celery_settings import RUN_BUNDLES
from quincunx_shared.farm.counters import RedisCounters
from quincunx_shared.farm.nodes import Node, RedisNodes
from quincunx_shared.farm.redis_board import RedisBoard
from quincunx_shared.farm.redis_claims import RedisClaims
from quincunx_shared.farm.redis_client import connect_to
from quincunx_shared.farm.redis_events import RedisEventLog
from quincunx_shared.farm.redis_index import RedisIndex
from quincunx_shared.farm.redis_work_state import RedisWorkState
from quincunx_shared.farm.settings import FarmSettings
from quincunx_shared.farm.work_state import Finished
from quincunx_shared.names import Address, Digest, PortKey, RenderId, SegmentId, Signature
from quincunx_shared.payload import ParamRef
from quincunx_shared.ports import Outputs
from quincunx_shared.stores.documents import MemoryDocuments

ROLES = ("coordinator", "client", "worker")

REFUSED = r"(?i)no permission|NOPERM|can't run|can't access"

R, ORDER = RenderId("render"), Digest("0" * 64)
AT = Address(SegmentId("p"), PortKey("mix", "audio"))
NODE = Node("anna", "worker", "anna", 7, "0.1.0", "cpu", numeric_class="x86")


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("secrets")
    SecretFolder(root).fill("qx", "quincunx")
    return root


@pytest.fixture(scope="module")
def server(secrets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    folder = tmp_path_factory.mktemp("redis")
    one = start(folder, ServerOptions(acl_file=secrets / "redis" / "users.acl"))
    try:
        yield one
    finally:
        one.kill()


@pytest.fixture
def as_user(server: RedisServer, secrets: Path) -> Iterator[Callable[[str], Redis]]:
    opened: list[Redis] = []

    def connected(name: str) -> Redis:
        password = (secrets / name / "redis_password").read_text().strip()
        opened.append(connect_to(server.url, username=name, password=password))
        return opened[-1]

    yield connected
    for client in opened:
        client.close()


@pytest.fixture
def broker(server: RedisServer, secrets: Path) -> Iterator[Callable[[str], Celery]]:
    """The messages of a farm, as a role sends and takes them."""
    opened: list[Celery] = []

    def app(name: str) -> Celery:
        path = secrets / name / "redis_password"
        opened.append(new_app(FarmSettings(redis_url=server.url, redis_username=name, redis_password_file=path)))
        return opened[-1]

    yield app
    for one in opened:
        one.close()


@pytest.mark.parametrize("role", ROLES)
def test_a_role_works_below_its_namespace_and_nowhere_else(as_user: Callable[[str], Redis], role: str) -> None:
    client = as_user(role)
    assert client.set("qx:{render}:a", "1")
    client.publish("qx:celery:/0.celeryev/worker.heartbeat", "{}")
    for refused in (
        lambda: client.set("other:{render}:a", "1"),
        lambda: client.get("other:{render}:a"),
        lambda: client.set("{render}:a", "1"),
        lambda: client.publish("other", "x"),
        lambda: client.eval("return redis.call('GET', 'other:a')", 0),
    ):
        with pytest.raises(Exception, match=REFUSED):
            refused()


def outputs_of(text: str) -> tuple[Signature, Outputs]:
    return Signature(digest_of(text)), (ParamRef(digest_of(text), "array", 40_000, (100, 100), "<f4"),)


def test_a_worker_does_its_work(as_user: Callable[[str], Redis]) -> None:
    worker = as_user("worker")
    index, name = RedisIndex(worker), outputs_of("a")[0]
    index.add({name: outputs_of("a")[1]})
    index.flush()
    assert index.find([name])
    index.forget([name])
    with closing(RedisClaims(worker)) as claims:
        assert claims.take(name)
    RedisBoard(worker, "qx", R).put({AT: outputs_of("a")[1][0]})
    assert RedisEventLog(worker, "qx", R).append(StageStarted(R, 0, 1)) == 0
    coordinating = RedisWorkState(as_user("coordinator"))
    coordinating.release(R, 1, {"1/p/r": b"bundle"})
    work = RedisWorkState(worker)
    grant = work.lease(R, ["1/p/r"], "anna")
    assert work.begin(R, ["1/p/r"], grant.token) == ("go",)
    assert work.renew(R, ["1/p/r"], grant.token) == "go"
    done = Finished("1/p/r", b"outcome", {AT: outputs_of("a")[1][0]}, (StageStarted(R, 1, 1),))
    assert work.finish(R, grant.token, [done])
    nodes = RedisNodes(worker, "qx")
    assert nodes.beat(NODE) is None
    nodes.leave(NODE.name)
    RedisCounters(worker, "qx").add({"steps": 1.0})
    worker.hincrby("qx:refused", "forged", 1)


def test_a_client_submits_follows_cancels_and_drains(
    as_user: Callable[[str], Redis], broker: Callable[[str], Celery]
) -> None:
    client = as_user("client")
    jobs = RedisJobStore(client, "qx")
    for name in ("one", "two"):
        jobs.submit(Accepted(RenderId(name), ORDER, name, Submission(song_key="song")))
    assert jobs.pause(RenderId("two")) == "pending"
    assert jobs.resume(RenderId("two")) == "paused"
    assert jobs.rank(RenderId("two"), "system") == "pending"
    assert [event for _, event in jobs.follow(RenderId("one"), 0, 0)] == [RenderEnded(RenderId("one"), "superseded")]
    assert jobs.cancel(RenderId("two")) == "cancelled"
    jobs.record_done(Accepted(RenderId("three"), ORDER, "three", Submission()), {})
    work = RedisWorkState(client)
    work.stop(RenderId("two"))
    assert work.refusals(RenderId("two")) == {}
    schedules = RedisSchedules(client, "qx", jobs, MemoryDocuments())
    schedules.set(Schedule("night", "30 3 * * *", Accepted(R, ORDER, "work", Submission())))
    assert schedules.remove("night")
    name, outputs = outputs_of("b")
    made = RedisIndex(as_user("worker"))
    made.add({name: outputs})
    made.flush()
    index = RedisIndex(client)
    assert index.find([name])
    assert list(index.records())
    index.forget([name])
    assert not index.find([name])
    RedisNodes(as_user("worker"), "qx").beat(NODE)
    nodes = RedisNodes(client, "qx")
    nodes.drain("anna", "a new disk")
    assert nodes.undrain("anna")
    as_user("worker").hset("qx:nodes", "silent", json.dumps(asdict(NODE) | {"seen_at": 0.0}))
    assert [one.node.name for one in nodes.seen()] == ["anna"]
    assert nodes.last_classes() == {"cpu": "x86"}
    send_wake(broker("client"), client, b"key", R)
    assert client.llen("qx:celery:quincunx.control") == 1


def test_a_coordinator_sees_jobs_through_and_looks_after_the_farm(
    as_user: Callable[[str], Redis], broker: Callable[[str], Celery]
) -> None:
    client = as_user("coordinator")
    jobs = RedisJobStore(client, "qx")
    jobs.submit(Accepted(RenderId("here"), ORDER, "here", Submission()))
    claim = jobs.claim_next("anna")
    assert claim is not None
    assert jobs.renew(claim.render, claim.token)
    Housekeeper(client, "qx", jobs, MemoryDocuments(), lambda: 0).look()
    nodes = RedisNodes(client, "qx")
    message = Message(R, 1, "cpu", "user", ("1/p/r",), (ORDER,), "title")
    CeleryPost(broker("coordinator"), client, nodes, "qx", "anna", b"key").send([message])
    assert client.llen("qx:celery:quincunx.cpu.user") == 1
    assert jobs.end(claim.render, claim.token, "succeeded", {})


def test_a_worker_takes_messages_and_wakes_coordinators(
    as_user: Callable[[str], Redis], broker: Callable[[str], Celery]
) -> None:
    broker("coordinator").send_task(RUN_BUNDLES, args=("sealed",), queue="quincunx.cpu.user", ignore_result=True)
    with broker("worker").connection_for_read() as connection, connection.SimpleQueue("quincunx.cpu.user") as queue:
        queue.get(timeout=5).ack()
    send_wake(broker("worker"), as_user("worker"), b"key", R)


def test_what_is_not_a_roles_business_is_refused(as_user: Callable[[str], Redis]) -> None:
    client, worker = as_user("client"), as_user("worker")
    record = b"qx:sig:" + bytes(32)
    for refused in (
        lambda: client.lpush("qx:celery:quincunx.cpu.user", "garbage"),
        lambda: client.rpop("qx:celery:quincunx.cpu.user"),
        lambda: client.set(record, "a result nobody computed"),
        lambda: client.eval("return redis.call('SET', KEYS[1], 'x')", 1, record),
        lambda: client.hset("qx:counters", "steps", "1"),
        lambda: client.delete("qx:epoch"),
        lambda: client.hset("qx:nodes", "anna", "{}"),
        lambda: worker.hget("qx:job:one", "song"),
        lambda: worker.zrange("qx:jobs", 0, -1),
        lambda: RedisJobStore(worker, "qx").cancel(RenderId("one")),
        lambda: worker.zadd("qx:queue:system", {"forged": 0}),
        lambda: worker.hset("qx:drains", "another", "{}"),
        lambda: worker.hgetall("qx:schedules"),
        lambda: worker.set("qx:epoch", "x"),
        lambda: worker.scan(),
        lambda: client.script_flush(),
    ):
        with pytest.raises(Exception, match=REFUSED):
            refused()


@pytest.mark.parametrize("role", [*ROLES, "flower"])
@pytest.mark.parametrize(
    "command",
    [
        "FLUSHALL",
        "FLUSHDB",
        "KEYS *",
        "CONFIG SET maxmemory 1",
        "CONFIG SET appendonly no",
        "CLIENT LIST",
        "CLIENT KILL TYPE normal",
        "MONITOR",
        "SHUTDOWN NOSAVE",
        "ACL LIST",
        "ACL SETUSER worker +@all",
        "REPLICAOF NO ONE",
        "SWAPDB 0 1",
    ],
)
def test_no_role_rules_the_server(as_user: Callable[[str], Redis], role: str, command: str) -> None:
    with pytest.raises(NoPermissionError):
        as_user(role).execute_command(*command.split())  # type: ignore[no-untyped-call]


def test_flower_reads_queues_and_hears_events_and_sends_nothing(as_user: Callable[[str], Redis]) -> None:
    as_user("worker").lpush("qx:celery:quincunx.gpu.user", "message")
    flower = as_user("flower")
    assert flower.llen("qx:celery:quincunx.gpu.user") == 1
    with closing(flower.pubsub()) as heard:  # type: ignore[no-untyped-call]
        heard.psubscribe("qx:celery:/0.celeryev/*")
        assert heard.get_message(timeout=5) is not None
    for refused in (
        lambda: flower.lpush("qx:celery:quincunx.gpu.user", "x"),
        lambda: flower.rpop("qx:celery:quincunx.gpu.user"),
        lambda: flower.lrange("qx:celery:quincunx.gpu.user", 0, -1),
        lambda: flower.publish("qx:celery:/0.celery.pidbox", "x"),
        lambda: flower.hgetall("qx:job:1"),
        lambda: flower.get("qx:{r}:events"),
    ):
        with pytest.raises(NoPermissionError):
            refused()


def test_nobody_gets_in_without_a_name(server: RedisServer) -> None:
    with closing(connect_to(server.url)) as nobody, pytest.raises((AuthenticationError, NoPermissionError)):
        nobody.get("qx:a")


def test_the_one_without_a_password_can_ping_and_nothing_else(server: RedisServer) -> None:
    with closing(connect_to(server.url, username="health", password="any")) as health:  # noqa: S106 - any will do
        assert health.ping()
        with pytest.raises(NoPermissionError):
            health.get("qx:a")
        with pytest.raises(NoPermissionError):
            health.info()


def test_doctors_questions_are_answered(as_user: Callable[[str], Redis]) -> None:
    for role in ROLES:
        client = as_user(role)
        assert client.config_get("appendonly") == {"appendonly": "yes"}
        assert client.info("memory")["maxmemory_policy"] == "noeviction"
        assert client.acl_whoami() == role
