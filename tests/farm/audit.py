"""What must hold when a farm has come to rest, whatever happened to it before: one function, a sentence a fault.

- the job and each of its phrases ended once, each with one event, and the events are numbered without a gap;
- what was made equals what a serial render makes, in sound and in every record of the cache;
- every blob hashes to its name;
- no step ran more often than once for every signature and once for every fault that was injected;
- queues, leases, claims and scratch are empty, and no process is left that should have ended;
- no secret stands anywhere: in messages, records, events, logs, or names of files.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tests.farm.proof_songs import Reference
from tests.farm.real_farm import RealFarm
from tests.farm.waiting import until

from quincunx_orchestrator.farm.opening import OpenFarm, open_farm
from quincunx_orchestrator.farm.submission import DOCUMENTS
from quincunx_shared.events import RenderEnded, SegmentEnded
from quincunx_shared.farm.redis_events import RedisEventLog
from quincunx_shared.farm.redis_index import RedisIndex
from quincunx_shared.farm.render_keys import BOARD, render_key
from quincunx_shared.farm.work_scripts import PARTS
from quincunx_shared.names import RenderId
from quincunx_shared.payload import Payload

if TYPE_CHECKING:
    from redis import Redis

#: What is under way may still be put away when the job is over: a lease, a message that came twice.
#: A coordinator that died is known to be gone after a quarter of a minute, and then looked after.
REST_SECONDS = 45.0


@dataclass(frozen=True)
class Expected:
    """What a job was to come to. `injected` is how many faults may have cost an execution each."""

    render: RenderId
    phrases: int
    reference: Reference | None = None
    sound: Payload | None = None
    injected: int = 0
    state: str = "succeeded"
    #: Events that Redis lost with everything else are gone.
    events_kept: bool = True
    #: Celery's book of messages that killed processes had taken is put away after its own time, a minute or more.
    booked: bool = False


def audit(farm: RealFarm, expected: Expected) -> None:
    """Fail with all that is wrong. The farm may still be running; it is given time to come to rest."""
    with open_farm(farm.settings, name="audit") as opened:
        wrong = [
            *_ends(opened, expected),
            *_results(opened, expected),
            *_blobs(farm),
            *_executions(farm, expected),
            *_rest(opened, expected),
            *_secrets(farm),
        ]
    assert not wrong, "\n".join(wrong)


def _ends(farm: OpenFarm, expected: Expected) -> Iterator[str]:
    record = farm.jobs.get(expected.render)
    if record is None or record.state != expected.state:
        yield f"the job is {record and record.state}, not {expected.state}"
    if not expected.events_kept:
        return
    told = list(RedisEventLog(farm.redis, farm.settings.namespace, expected.render).numbered())
    if [number for number, _ in told] != list(range(len(told))):
        yield "the events have gaps"
    events = [event for _, event in told]
    ends = [event.state for event in events if isinstance(event, RenderEnded)]
    if ends != [expected.state] or not isinstance(events[-1], RenderEnded):
        yield f"the job ended {len(ends)} times: {ends}, and the last event is {events[-1:]}"
    phrases = Counter(event.segment for event in events if isinstance(event, SegmentEnded))
    if expected.state in ("succeeded", "partial", "failed") and ends:
        # The song itself is one, too.
        odd = {name: times for name, times in phrases.items() if times != 1}
        if odd or len(phrases) != expected.phrases + 1:
            yield f"{len(phrases)} phrases ended, of which not once: {odd}"


def _results(farm: OpenFarm, expected: Expected) -> Iterator[str]:
    reference = expected.reference
    if reference is None:
        return
    if expected.sound is not None and not np.array_equal(expected.sound, reference.sound):
        yield "the sound is another than that of a serial render"
    found = RedisIndex(farm.redis, farm.settings.namespace).find(reference.records)
    for name, outputs in found.items():
        if [one.digest for one in outputs] != [one.digest for one in reference.records[name]]:
            yield f"the record of {name[:12]} is another than that of a serial render"
    if expected.state == "succeeded" and len(found) != len(reference.records):
        yield f"{len(reference.records) - len(found)} records are missing"
    refs = {one.digest for outputs in found.values() for one in outputs if one.inline is None}
    missing = farm.recall.blobs.missing(refs)
    if missing:
        yield f"{len(missing)} blobs are missing of which records tell"
    for digest in refs - set(missing):
        # A store verifies what it reads, and raises.
        farm.store.blobs.get(digest)


def _blobs(farm: RealFarm) -> Iterator[str]:
    """Every blob in a folder, also those that no record names."""
    for root in (farm.folder / "store" / "blobs", farm.folder / "cache"):
        for path in root.rglob("*"):
            if path.is_file() and len(path.name) == 64 and hashlib.sha256(path.read_bytes()).hexdigest() != path.name:
                yield f"{path} is not what its name says"


def _executions(farm: RealFarm, expected: Expected) -> Iterator[str]:
    if expected.reference is None:
        return
    ran = farm.executions()
    if (total := sum(ran.values())) > expected.reference.steps + expected.injected:
        more = [name for name, times in ran.items() if times > 1][:5]
        yield f"{total} executions of {expected.reference.steps} steps and {expected.injected} faults: {more}"


def _rest(farm: OpenFarm, expected: Expected) -> Iterator[str]:
    try:
        until(lambda: not list(_unrest(farm, expected)), REST_SECONDS)
    except AssertionError:
        yield from _unrest(farm, expected)


def _unrest(farm: OpenFarm, expected: Expected) -> Iterator[str]:
    name, redis = farm.settings.namespace, farm.redis
    for key in _keys(redis, f"{name}:celery:quincunx.*"):
        yield f"{redis.llen(key)} messages lie in {key}"
    for key in () if expected.booked else _keys(redis, f"{name}:celery:unacked*"):
        yield f"{key} is there"
    for key in (*_keys(redis, f"{name}:claim:*"), *_keys(redis, f"{name}:queue:*"), *_keys(redis, f"{name}:running")):
        yield f"{key} is there"
    # That a render is over is remembered for a while.
    for part in (BOARD, *PARTS):
        key = render_key(name, expected.render, part)
        if part != "state" and redis.exists(key):
            yield f"{key} is there"
    for document in farm.store.documents.names(DOCUMENTS):
        yield f"{document} is in the store"


def _secrets(farm: RealFarm) -> Iterator[str]:
    """Whatever was ever written to Redis stands in its append-only file; everything else lies in the folder."""
    named = (farm.settings.redis_password_file, farm.settings.envelope_key_file, farm.settings.store_secret_key_file)
    secrets = [path.read_bytes().strip() for path in named if path is not None]
    for path in farm.folder.rglob("*"):
        if any(secret in str(path).encode() for secret in secrets):
            yield f"a secret stands in the name of {path}"
        if path.is_file() and path not in named and path.parent.name != "s3":
            content = path.read_bytes()
            if any(secret in content for secret in secrets):
                yield f"a secret stands in {path}"


def left_behind(pids: Iterable[int]) -> list[int]:
    """Which of these processes are still alive."""
    return [pid for pid in pids if Path(f"/proc/{pid}/stat").exists() and not _is_zombie(pid)]


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def _keys(redis: Redis, pattern: str) -> list[str]:
    return [key.decode() for key in redis.scan_iter(pattern, count=1000)]
