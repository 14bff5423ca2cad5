"""What each user may do, tried on a real server with the file that the set-up writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import AuthenticationError, NoPermissionError

from quincunx_orchestrator.farm.redis_server import RedisServer, ServerOptions, start
from quincunx_orchestrator.farm.setup.secret_folder import SecretFolder
from quincunx_shared.farm.redis_client import connect_to

ROLES = ("coordinator", "client", "worker")


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


@pytest.mark.parametrize("role", ROLES)
def test_a_role_works_below_its_namespace_and_nowhere_else(as_user: Callable[[str], Redis], role: str) -> None:
    client = as_user(role)
    assert client.set("qx:a", "1")
    client.publish("qx:celery:/0.celeryev/worker.heartbeat", "{}")
    for refused in (
        lambda: client.set("other:a", "1"),
        lambda: client.get("other:a"),
        lambda: client.publish("other", "x"),
        lambda: client.eval("return redis.call('GET', 'other:a')", 0),
    ):
        with pytest.raises(Exception, match=r"(?i)no permission|NOPERM|can't run"):
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
    as_user("worker").lpush("qx:celery:quincunx.cpu.user", "message")
    flower = as_user("flower")
    assert flower.llen("qx:celery:quincunx.cpu.user") == 1
    with closing(flower.pubsub()) as heard:  # type: ignore[no-untyped-call]
        heard.psubscribe("qx:celery:/0.celeryev/*")
        assert heard.get_message(timeout=5) is not None
    for refused in (
        lambda: flower.lpush("qx:celery:quincunx.cpu.user", "x"),
        lambda: flower.rpop("qx:celery:quincunx.cpu.user"),
        lambda: flower.lrange("qx:celery:quincunx.cpu.user", 0, -1),
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
