"""The jobs of a farm, in Redis: a bounded queue, who has which job, and what became of those that ended.

Every change is one script, so that it is whole or did not happen. Leases are kept in the time of Redis; a token fences
them: who lost a job can no longer end it. Which changes there are stands in `job`.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from quincunx_orchestrator.core.lanes import Barrier
from quincunx_orchestrator.farm import job_scripts
from quincunx_orchestrator.farm.job import (
    ACTIVE,
    AGEING_SECONDS,
    AGEING_TURN,
    CALM_SECONDS,
    MOST_LAPSES,
    PRIORITIES,
    TERMINAL,
    CancelAnswer,
    Claim,
    JobRecord,
    JobState,
    Priority,
    cancel_answer,
)
from quincunx_orchestrator.farm.submission import Accepted, Submission
from quincunx_shared.errors import FarmError, NotOnFarm
from quincunx_shared.events import Event
from quincunx_shared.farm.redis_events import RedisEventLog
from quincunx_shared.farm.wire import event_to_json
from quincunx_shared.names import Digest, RenderId

if TYPE_CHECKING:
    from redis import Redis


class QueueFull(FarmError):
    """The farm takes no more jobs for now. Nothing was accepted."""


class RedisJobStore:
    """Jobs below one name of a farm."""

    def __init__(
        self,
        client: Redis,
        namespace: str,
        *,
        lease_seconds: float = 15.0,
        ageing_seconds: float = AGEING_SECONDS,
    ) -> None:
        self._redis = client
        self._farm = namespace
        self._lease = lease_seconds
        self._ageing = ageing_seconds
        self._scripts = {
            name: client.register_script(job_scripts.COMMON + body)
            for name, body in vars(job_scripts).items()
            if name.isupper() and name != "COMMON"
        }

    def submit(self, job: Accepted) -> tuple[RenderId, bool, tuple[RenderId, ...]]:
        """Accept a job: its id, whether it is an older one of the same work, and whom it supersedes.

        Raises `QueueFull`.
        """
        how = job.how
        fields = [part for pair in _fields(job.order, how).items() for part in pair]
        answer, name, older = self._run(
            "SUBMIT", job.render, job.fingerprint, how.song_key, how.limit, int(how.supersede), *fields
        )
        if answer == "full":
            raise QueueFull(
                f"{name} jobs are waiting, and the farm takes no more than {older}",
                remedy="submit again later, or raise max_jobs, here and where coordinators run",
            )
        return RenderId(name), answer == "existing", (RenderId(older),) if older else ()

    def record_done(self, job: Accepted, result: Mapping[str, Any]) -> tuple[RenderId, ...]:
        """Record a job that was done when it came, with its event; return whom it supersedes.

        Not the one that does the same work: whoever waits for it is about to have it.
        """
        how = job.how
        fields = [part for pair in _fields(job.order, how).items() for part in pair]
        told = json.dumps(result)
        older = self._run("DONE", job.render, job.fingerprint, how.song_key, int(how.supersede), told, *fields)
        return (RenderId(older),) if older else ()

    def bound(self, limit: int) -> None:
        """Let no more than that wait, whatever those who submit allow themselves."""
        self._redis.set(self._key("jobs:limit"), limit)

    def claim_next(self, coordinator: str, classes: Sequence[Priority] = PRIORITIES) -> Claim | None:
        """Take the next job of these classes that may run, or one whose coordinator is gone."""
        token = uuid.uuid4().hex
        name = self._run("CLAIM", coordinator, token, self._lease, self._ageing, AGEING_TURN, MOST_LAPSES, *classes)
        record = self.get(RenderId(name)) if name else None
        if record is None:
            return None
        barrier = Barrier(cast("Any", record.barrier), record.window)
        return Claim(
            record.render,
            record.order,
            token,
            record.generation,
            barrier,
            record.priority,
            record.troubles,
            record.troubled_seconds,
        )

    def renew(self, render: RenderId, token: str) -> Priority | None:
        """Keep a job, and return its class. None if it is not ours any more: ended, stopped, paused, or another's."""
        return cast("Priority | None", self._run("RENEW", render, token, self._lease))

    def release(self, render: RenderId, token: str) -> bool:
        """Let a job go, so that another coordinator takes it at once."""
        return bool(self._run("RELEASE", render, token))

    def postpone(self, render: RenderId, token: str, seconds: float, why: str) -> bool:
        """Let a job go that met an error, so that somebody tries again after a while."""
        return bool(self._run("POSTPONE", render, token, seconds, why, CALM_SECONDS))

    def end(
        self, render: RenderId, token: str, state: str, result: Mapping[str, Any], last: Sequence[Event] = ()
    ) -> bool:
        """End a job, once, with its last events. False if it was not ours to end."""
        return bool(self._run("END", render, token, state, json.dumps(result), *map(event_to_json, last)))

    def ended(self, render: RenderId) -> tuple[str, Mapping[str, Any]] | None:
        """The final state of a job and what came of it; None while it is not over. Raises `NotOnFarm`."""
        record = self.get(render)
        if record is None:
            raise NotOnFarm("the farm knows no such job", where=render, remedy="quincunx jobs, or quincunx history")
        return (record.state, record.result) if record.state in TERMINAL else None

    def follow(self, render: RenderId, since: int, seconds: float) -> Iterable[tuple[int, Event]]:
        """Events from that sequence number on; waits for the first of them, but no longer than that."""
        return RedisEventLog(self._redis, self._farm, render).follow(since, seconds)

    def cancel(self, render: RenderId, why: str = "") -> CancelAnswer:
        """Cancel a job, wherever it is; what it has computed stays in the cache."""
        return cancel_answer(_state(self._run("STOP", render, "cancelled", why, uuid.uuid4().hex)))

    def pause(self, render: RenderId, why: str = "") -> JobState | None:
        """Let a job wait until it is resumed, and return the state it was in."""
        return _state(self._run("PAUSE", render, why))

    def resume(self, render: RenderId) -> JobState | None:
        """Let a paused job go on, and return the state it was in."""
        return _state(self._run("RESUME", render))

    def rank(self, render: RenderId, priority: Priority) -> JobState | None:
        """Give a job another class, and return the state it is in."""
        return _state(self._run("RANK", render, priority))

    def get(self, render: RenderId) -> JobRecord | None:
        """Return one job."""
        return next(iter(self._records([render])), None)

    def find(self, prefix: str) -> list[RenderId]:
        """The jobs whose name begins so."""
        return [
            RenderId(name)
            for name in self._names(self._redis.zrange(self._key("jobs"), 0, -1))
            if name.startswith(prefix)
        ]

    def jobs(self, states: Iterable[JobState] = (), *, since: float = 0.0, limit: int = 100) -> list[JobRecord]:
        """Jobs that were submitted since, the newest first, in some of the states (none: in any)."""
        wanted = frozenset(states)
        # Few are active, and many are remembered.
        listed = "jobs:active" if wanted and wanted <= ACTIVE else "jobs"
        names = self._names(self._redis.zrevrangebyscore(self._key(listed), "+inf", since))
        found: list[JobRecord] = []
        for start in range(0, len(names), 500):
            records = self._records([RenderId(name) for name in names[start : start + 500]])
            found += [one for one in records if not wanted or one.state in wanted]
            if len(found) >= limit:
                break
        return found[:limit]

    def waiting(self) -> dict[str, int]:
        """How many jobs wait, by class."""
        return {one: self._redis.zcard(self._key(f"queue:{one}")) for one in ("system", "user", "background")}

    def ahead_of(self, render: RenderId) -> int:
        """How many jobs are served before a waiting one."""
        record = self.get(render)
        if record is None or record.state != "pending":
            return 0
        ahead = 0
        for one in ("system", "user", "background"):
            key = self._key(f"queue:{one}")
            if one == record.priority:
                return ahead + int(cast("int | None", self._redis.zrank(key, render)) or 0)
            ahead += self._redis.zcard(key)
        return ahead

    def forget_before(self, moment: float) -> int:
        """Drop the records of jobs that ended before a time, and return how many."""
        names = self._names(self._redis.zrangebyscore(self._key("jobs"), "-inf", moment))
        old = [one for one in self._records([RenderId(name) for name in names]) if 0 < one.ended_at < moment]
        if old:
            with self._redis.pipeline() as pipe:
                pipe.delete(*(self._key(f"job:{one.render}") for one in old))
                pipe.zrem(self._key("jobs"), *(one.render for one in old))
                pipe.execute()
        return len(old)

    def _records(self, names: Iterable[RenderId]) -> list[JobRecord]:
        with self._redis.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.hgetall(self._key(f"job:{name}"))
            return [_record(_texts(fields)) for fields in pipe.execute() if fields]

    def _run(self, script: str, *arguments: Any) -> Any:
        return _text(self._scripts[script](keys=[], args=[self._farm, *arguments]))

    def _key(self, name: str) -> str:
        return f"{self._farm}:{name}"

    def _names(self, answer: Any) -> list[str]:
        return [_text(one) for one in answer]


def _fields(order: Digest, how: Submission) -> dict[str, str]:
    return {
        "order": order,
        "song": how.song,
        "priority": how.priority,
        "tags": json.dumps(how.tags),
        "barrier": how.barrier.mode,
        "window": str(how.barrier.window),
    }


def _record(fields: Mapping[str, str]) -> JobRecord:
    return JobRecord(
        render=RenderId(fields["render"]),
        state=cast("JobState", fields["state"]),
        order=Digest(fields["order"]),
        song=fields.get("song", ""),
        song_key=fields.get("song_key", ""),
        fingerprint=fields.get("fingerprint", ""),
        priority=cast("Priority", fields.get("priority", "user")),
        tags=tuple(json.loads(fields.get("tags") or "[]")),
        barrier=fields.get("barrier", "strict"),
        window=int(fields.get("window") or 16),
        submitted_at=float(fields.get("submitted_at") or 0),
        started_at=float(fields.get("started_at") or 0),
        ended_at=float(fields.get("ended_at") or 0),
        owner=fields.get("owner", ""),
        generation=int(fields.get("generation") or 0),
        result=json.loads(fields.get("result") or "{}"),
        note=fields.get("note", ""),
        troubles=int(fields.get("troubles") or 0),
        troubled_seconds=float(fields.get("troubled_at") or 0) - float(fields.get("troubled_since") or 0),
    )


def _state(text: str) -> JobState | None:
    return cast("JobState", text) if text else None


def _texts(fields: Mapping[Any, Any]) -> dict[str, str]:
    return {_text(name): _text(value) for name, value in fields.items()}


def _text(answer: Any) -> Any:
    """What Redis answers as text, whether the client decodes or not."""
    if isinstance(answer, bytes):
        return answer.decode()
    return [_text(one) for one in answer] if isinstance(answer, list) else answer
