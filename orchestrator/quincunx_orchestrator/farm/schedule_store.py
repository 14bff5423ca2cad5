"""The schedules of a farm: set by anybody, run by any coordinator, each time once.

    <namespace>:schedules        hash: name → the schedule, as JSON
    <namespace>:schedules:due    sorted set: name by the time it is due, in seconds of the Redis clock
    schedules/<name>             the same as a document in the store, for a Redis that lost everything
    scheduled/<name>             beside it, until when it has run

No leader: everybody who finds a schedule due submits the same render, which is accepted once, and only then moves the
schedule on. What was missed while nobody looked runs once.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from quincunx_orchestrator.farm.job_store import QueueFull, RedisJobStore
from quincunx_orchestrator.farm.schedule import Schedule, checked, next_due, render_of
from quincunx_orchestrator.farm.submission import accepted_from_bytes, accepted_to_bytes, document_name
from quincunx_shared.errors import QuincunxError
from quincunx_shared.farm.wire import BadMessage, dump
from quincunx_shared.names import RenderId
from quincunx_shared.ports import Documents

if TYPE_CHECKING:
    from redis import Redis

LOG = logging.getLogger(__name__)

DOCUMENTS = "schedules/"

#: A document of its own: whoever moves a schedule on must not bring one back that somebody removes or sets anew.
RAN = "scheduled/"

#: KEYS: schedules, due. ARGV: name, the time it was due, the next time or nothing. Only who saw the same time moves it.
_MOVE_ON = """
local due = redis.call('ZSCORE', KEYS[2], ARGV[1])
if not due or tonumber(due) ~= tonumber(ARGV[2]) then return 0 end
if ARGV[3] ~= '' then
  redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
else
  redis.call('ZREM', KEYS[2], ARGV[1])
  redis.call('HDEL', KEYS[1], ARGV[1])
end
return 1
"""


@dataclass(frozen=True)
class Planned:
    """A schedule, and when it is due next, in seconds since 1970."""

    schedule: Schedule
    due: float


class RedisSchedules:
    """The schedules below one name of a farm."""

    def __init__(self, client: Redis, namespace: str, jobs: RedisJobStore, documents: Documents) -> None:
        self._redis = client
        self._schedules = f"{namespace}:schedules"
        self._due = f"{namespace}:schedules:due"
        self._jobs = jobs
        self._documents = documents
        self._move_on = client.register_script(_MOVE_ON)

    def set(self, schedule: Schedule) -> float:
        """Set a schedule, in the place of one of the same name; return when it is due. Raises `BadInput`."""
        now = self._now()
        due = checked(schedule, now)
        content = _to_bytes(schedule)
        self._ran_until(schedule.name, now)
        self._documents.put(DOCUMENTS + schedule.name, content)
        self._put(schedule.name, content, due)
        return due

    def remove(self, name: str) -> bool:
        """Drop a schedule; what it has submitted goes on. False if there is none."""
        # First where it would be restored from.
        self._forget(name)
        with self._redis.pipeline() as pipe:
            pipe.hdel(self._schedules, name)
            pipe.zrem(self._due, name)
            return any(pipe.execute())

    def all(self) -> list[Planned]:
        """Every schedule, the next first."""
        with self._redis.pipeline() as pipe:
            pipe.hgetall(self._schedules)
            pipe.zrange(self._due, 0, -1, withscores=True)
            contents, dues = pipe.execute()
        found = ((contents.get(name), due) for name, due in dues)
        return [Planned(_from_bytes(content), due) for content, due in found if content is not None]

    def run_due(self) -> list[RenderId]:
        """Submit what is due, and return the renders that were accepted here or by others at the same time."""
        now = self._now()
        dues = cast("list[Any]", self._redis.zrange(self._due, "-inf", now, byscore=True, withscores=True))
        submitted: list[RenderId] = []
        for name, due in dues:
            content = cast("bytes | None", self._redis.hget(self._schedules, name))
            try:
                if content is not None:
                    submitted.append(self._run(_from_bytes(content), due, now))
            except QueueFull:
                break  # it stays due until there is room
            except QuincunxError as error:
                LOG.error("schedule %s does not run: %s", name.decode(), error)
        return submitted

    def restore(self) -> int:
        """Take up again what only the store still knows, and return how many. What was due meanwhile is due at once."""
        known = {name.decode() for name in cast("list[bytes]", self._redis.hkeys(self._schedules))}
        lost = [name for name in self._documents.names(DOCUMENTS) if name.removeprefix(DOCUMENTS) not in known]
        found = 0
        for name in lost:
            try:
                found += self._restored(name)
            except QuincunxError as error:
                # One that cannot be read here keeps none of the others waiting.
                LOG.error("%s is left: %s", name, error)
        return found

    def _restored(self, name: str) -> bool:
        content = self._documents.get(name)
        if content is None:
            return False
        schedule = _from_bytes(content)
        # One that is over in the meantime is due now; one that ran already is accepted once all the same.
        after = 0.0 if schedule.once else self._has_run_until(schedule.name)
        due = next_due(schedule.when, schedule.zone, after)
        if due is not None:
            self._put(schedule.name, content, due)
        return due is not None

    def _run(self, schedule: Schedule, due: float, now: float) -> RenderId:
        job = replace(schedule.job, render=render_of(schedule, due), submitted_at=now)
        # As whoever submits does: first the document, so that what is accepted cannot be lost.
        self._documents.put(document_name(job.render), accepted_to_bytes(job))
        try:
            accepted, existing, _ = self._jobs.submit(job)
        except QueueFull:
            self._documents.delete(document_name(job.render))
            raise
        if existing:
            self._documents.delete(document_name(job.render))
        until = max(now, due)
        coming = None if schedule.once else next_due(schedule.when, schedule.zone, until)
        moved = self._move_on([self._schedules, self._due], [schedule.name, due, "" if coming is None else coming])
        if moved and coming is None:
            self._forget(schedule.name)
        elif moved:
            self._ran_until(schedule.name, until)
        return accepted

    def _ran_until(self, name: str, moment: float) -> None:
        self._documents.put(RAN + name, repr(moment).encode())

    def _has_run_until(self, name: str) -> float:
        content = self._documents.get(RAN + name)
        return float(content) if content is not None else self._now()

    def _forget(self, name: str) -> None:
        self._documents.delete(DOCUMENTS + name)
        self._documents.delete(RAN + name)

    def _put(self, name: str, content: bytes, due: float) -> None:
        with self._redis.pipeline() as pipe:
            pipe.hset(self._schedules, name, content)
            pipe.zadd(self._due, {name: due})
            pipe.execute()

    def _now(self) -> float:
        seconds, micros = self._redis.time()
        return float(seconds) + float(micros) / 1e6


def _to_bytes(schedule: Schedule) -> bytes:
    return dump({**asdict(schedule), "job": accepted_to_bytes(schedule.job).decode()})


def _from_bytes(content: bytes) -> Schedule:
    try:
        told: dict[str, Any] = json.loads(content)
        return Schedule(told["name"], told["when"], accepted_from_bytes(told["job"].encode()), told["zone"])
    except (ValueError, KeyError, AttributeError) as error:
        raise BadMessage(f"a schedule cannot be read: {error}") from error
