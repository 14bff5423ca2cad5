"""Connections to the Redis of a farm, with time-outs: the one module that imports its client library.

Who uses Redis takes a client as an argument. What it raises on the way to the server is told apart here
(`plain_errors`), so that nobody else has to know the library's exceptions.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import redis
from redis.backoff import ExponentialWithJitterBackoff
from redis.retry import Retry

from quincunx_shared.errors import FarmError, FarmRefused, FarmUnreachable, StoreUnreachable
from quincunx_shared.farm.secret_file import read_secret
from quincunx_shared.farm.settings import FarmSettings

_Answer = TypeVar("_Answer")

#: A connection that was silent so long is tried before it is trusted: firewalls drop quiet ones without a word.
_HEALTH_SECONDS = 10

_TRIES_AGAIN = 4


class _WithinTime(Retry):
    """Tries again, but no longer than a command may take.

    A command that has to connect first is tried within tries: the library's own retries multiply, and a server
    behind a dead link would hang a command for minutes. A wrong password is not tried again at all.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(ExponentialWithJitterBackoff(base=0.05, cap=0.5), _TRIES_AGAIN)
        self._seconds = seconds
        #: When the command that is under way must be done. A connection belongs to one thread at a time.
        self._until: float | None = None

    def call_with_retry(
        self,
        do: Callable[[], _Answer],
        fail: Callable[..., Any],
        is_retryable: Callable[[Exception], bool] | None = None,
        with_failure_count: bool = False,
    ) -> _Answer:
        """Do it until it succeeds or the time is over."""
        outermost = self._until is None
        until = self._until = self._until or time.monotonic() + self._seconds

        def worth_it(error: Exception) -> bool:
            refused = isinstance(error, redis.AuthenticationError)
            return not refused and time.monotonic() < until and (is_retryable is None or is_retryable(error))

        try:
            return super().call_with_retry(do, fail, worth_it, with_failure_count)
        finally:
            if outermost:
                self._until = None


def connect(settings: FarmSettings, *, name: str = "") -> redis.Redis:
    """A client of the farm's Redis; `name` is what `CLIENT LIST` shows. Nothing is sent yet.

    Raises `FarmUnreachable` if no address is set, and `BadSecret`.
    """
    if not settings.redis_url:
        raise FarmUnreachable("no farm is named", where="redis_url", remedy="set QUINCUNX_FARM_REDIS_URL")
    secret = settings.redis_password_file
    return connect_to(
        settings.redis_url,
        username=settings.redis_username,
        password=read_secret(secret).decode() if secret else "",
        ca_file=settings.redis_ca_file,
        timeout_seconds=settings.redis_timeout_seconds,
        name=name,
    )


def connect_to(
    url: str,
    *,
    username: str = "",
    password: str = "",
    ca_file: Path | None = None,
    timeout_seconds: float = 5.0,
    name: str = "",
) -> redis.Redis:
    """A client of the Redis at an address. Answers are bytes. Nothing is sent yet.

    A command that cannot be sent is tried again; one that timed out too, so that what is sent must be harmless twice.
    """
    secure: dict[str, Any] = {"ssl_ca_certs": str(ca_file)} if ca_file and url.startswith("rediss:") else {}
    # A unix socket knows no TCP option.
    alive: dict[str, Any] = {} if url.startswith("unix:") else {"socket_keepalive": True}
    return redis.Redis.from_url(
        url,
        username=username or None,
        password=password or None,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=timeout_seconds,
        health_check_interval=_HEALTH_SECONDS,
        retry=_WithinTime(timeout_seconds),
        client_name=name or None,
        **secure,
        **alive,
    )


@contextmanager
def plain_errors(where: str = "Redis") -> Iterator[None]:
    """Say in our own words what goes wrong with the server: `FarmUnreachable`, `FarmRefused`, `FarmError`."""
    try:
        yield
    except redis.RedisError as error:
        raise farm_error(error, where) from error
    except StoreUnreachable as error:
        if isinstance(error.__cause__, redis.RedisError):
            raise farm_error(error.__cause__, where) from error
        raise


@contextmanager
def store_errors() -> Iterator[None]:
    """Say that a store did not answer where the server is used as one: no step has failed because of that."""
    try:
        yield
    except redis.RedisError as error:
        told = farm_error(error)
        raise StoreUnreachable(told.what, where=told.where, remedy=told.remedy) from error


def farm_error(error: redis.RedisError, where: str = "Redis") -> FarmError:
    """What an error of the client library means to a person."""
    if isinstance(error, redis.AuthenticationError | redis.exceptions.AuthorizationError):
        remedy = "check redis_username and redis_password_file"
        return FarmRefused(f"the user or the password is wrong: {error}", where=where, remedy=remedy)
    if isinstance(error, redis.exceptions.NoPermissionError):
        return FarmRefused(f"this user may not do that: {error}", where=where, remedy="use the user of this role")
    if isinstance(error, redis.ConnectionError | redis.TimeoutError):
        remedy = "is it running, and is its address right? `quincunx doctor` looks"
        return FarmUnreachable(f"no answer: {error}", where=where, remedy=remedy)
    if isinstance(error, redis.exceptions.OutOfMemoryError):
        return FarmError("it is full and takes nothing more", where=where, remedy="give it more memory (maxmemory)")
    return FarmError(f"it answered with an error: {error}", where=where)


def is_outage(error: Exception) -> bool:
    """Whether the server did not answer: the same may work in a moment."""
    if isinstance(error, redis.AuthenticationError):
        return False  # to the library it is an error of the connection
    return isinstance(error, redis.ConnectionError | redis.TimeoutError | FarmUnreachable)
