"""What can be wrong with the Redis of a farm: not there, not allowed, or not set up to keep what it is given."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from quincunx_orchestrator.farm.doctor.findings import Finding, fault, fine, skipped, warning
from quincunx_shared.errors import FarmError, FarmRefused, FarmUnreachable

if TYPE_CHECKING:
    from redis import Redis

#: Messages carry an expiry, and people compare logs. Leases do not care: they run on the time of Redis.
SKEW_WARNING, SKEW_FAULT = 2.0, 30.0

#: What is asked of Redis besides the farm's own keys.
CHECKS = ("Redis version", "Redis persistence", "Redis policy", "Redis rights", "clock")


def check_broker(client: Redis, namespace: str, clock: Callable[[], float] = time.time) -> Iterator[Finding]:
    """Examine a Redis from the side of whoever has this client."""
    from quincunx_shared.farm.redis_client import plain_errors

    try:
        with plain_errors():
            client.ping()
    except FarmUnreachable as error:
        yield fault("Redis", error.what, "start it, or correct redis_url", unreachable=True)
        yield from (skipped(check, "Redis does not answer") for check in CHECKS)
        return
    except FarmRefused as error:
        yield fault("Redis", error.what, error.remedy)
        yield from (skipped(check, "Redis lets this user not in") for check in CHECKS)
        return
    yield fine("Redis", "it answers")
    facts = _facts(client)
    yield check_version(facts)
    yield _check_persistence(facts)
    yield _check_policy(facts)
    yield _check_rights(client, namespace)
    yield check_clock(client, clock)


def check_clock(client: Redis, clock: Callable[[], float] = time.time) -> Finding:
    """This machine's clock agrees with that of Redis, to which all others are compared, too."""
    before = clock()
    seconds, micros = client.time()
    after = clock()
    # Half of the way there and back is all that cannot be told apart.
    skew = seconds + micros / 1e6 - (before + after) / 2
    doubt = (after - before) / 2
    told = f"{abs(skew):.1f} s {'behind' if skew > 0 else 'ahead of'} that of Redis"
    remedy = "set the clock of this machine, or of the one Redis runs on, by NTP"
    if abs(skew) - doubt > SKEW_FAULT:
        return fault("clock", f"this machine's clock is {told}", remedy)
    if abs(skew) - doubt > SKEW_WARNING:
        return warning("clock", f"this machine's clock is {told}", remedy)
    return fine("clock", told)


def _facts(client: Redis) -> Mapping[str, Any]:
    from quincunx_shared.farm.redis_client import plain_errors

    try:
        with plain_errors():
            return cast("Mapping[str, Any]", client.info())
    except FarmError:
        return {}


def check_version(facts: Mapping[str, Any]) -> Finding:
    """It is new enough to count events by itself, and to give users rights by commands and keys together."""
    check = "Redis version"
    told = str(facts.get("redis_version", ""))
    major = told.partition(".")[0]
    if not major.isdecimal():
        return skipped(check, "this user may not ask (INFO)")
    if int(major) < 7:
        return fault(check, f"it is Redis {told}, and a farm needs 7.0", "install Valkey, or Redis 7.0 or newer")
    return fine(check, f"Valkey {facts['valkey_version']}" if "valkey_version" in facts else f"Redis {told}")


def _check_persistence(facts: Mapping[str, Any]) -> Finding:
    """It writes what it is told to disk, command by command."""
    check = "Redis persistence"
    if "aof_enabled" not in facts:
        return skipped(check, "this user may not ask (INFO)")
    if not facts["aof_enabled"]:
        told = "the append-only file is off: what it has not saved is lost when it stops"
        return fault(check, told, "redis-cli CONFIG SET appendonly yes, and `appendonly yes` in its configuration")
    if facts.get("aof_last_write_status", "ok") != "ok":
        return fault(
            check, "it could not write its append-only file", "look at the disk Redis writes to, and at its log"
        )
    return fine(check, "append-only file on")


def _check_policy(facts: Mapping[str, Any]) -> Finding:
    """When memory ends it refuses, instead of throwing away what it was given."""
    check = "Redis policy"
    if "maxmemory_policy" not in facts:
        return skipped(check, "this user may not ask (INFO)")
    policy = facts["maxmemory_policy"]
    if policy != "noeviction":
        told = f"the policy is {policy}: when its memory is full, it throws away queues, leases and results"
        return fault(check, told, "redis-cli CONFIG SET maxmemory-policy noeviction, and the same in its configuration")
    used, limit = facts.get("used_memory", 0), facts.get("maxmemory", 0)
    if limit and used > 0.9 * limit:
        return warning(check, f"{used / limit:.0%} of its memory is used", "raise maxmemory, or remove old results")
    return fine(check, policy)


def _check_rights(client: Redis, namespace: str) -> Finding:
    """This user may do what the farm needs, on the farm's keys."""
    from quincunx_shared.farm.redis_client import plain_errors

    refused = []
    for what, attempt in _attempts(client, f"{namespace}:doctor:{uuid.uuid4().hex}").items():
        try:
            with plain_errors():
                attempt()
        except FarmRefused as error:
            refused.append(f"{what} ({error.what})")
        except FarmError as error:
            return fault("Redis rights", f"{what}: {error.what}", "look at the log of Redis")
    if refused:
        told = f"this user may not {'; '.join(refused)}"
        return fault("Redis rights", told, f"give it the rights of its role on {namespace}:*, or name another user")
    return fine("Redis rights", f"this user may use {namespace}:*")


def _attempts(client: Redis, key: str) -> Mapping[str, Callable[[], object]]:
    """What to try, on keys that are gone in a minute even if this user may not delete them."""
    return {
        "write keys": lambda: client.set(key, "1", ex=60),
        "read keys": lambda: client.get(key),
        "run scripts": lambda: client.eval("return redis.call('EXISTS', KEYS[1])", 1, key),
        "delete keys": lambda: client.delete(key),
    }
