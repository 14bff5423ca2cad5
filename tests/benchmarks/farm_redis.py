"""What the adapters to Redis cost, on a server of their own: `python tests/benchmarks/farm_redis.py --json`.

Figures, never asserted. Times are seconds unless the name says otherwise.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from quincunx_orchestrator.farm.job_store import RedisJobStore
from quincunx_orchestrator.farm.redis_server import start
from quincunx_orchestrator.farm.submission import Accepted, Submission
from quincunx_shared.events import StageStarted
from quincunx_shared.farm.redis_board import RedisBoard
from quincunx_shared.farm.redis_claims import RedisClaims
from quincunx_shared.farm.redis_client import connect_to
from quincunx_shared.farm.redis_events import RedisEventLog
from quincunx_shared.farm.redis_index import RedisIndex
from quincunx_shared.names import Address, Digest, PortKey, RenderId, SegmentId, Signature
from quincunx_shared.payload import ParamRef

if TYPE_CHECKING:
    from redis import Redis

R = RenderId("r")


def named(text: str) -> Signature:
    return Signature(sha256(text.encode()).hexdigest())


def large(text: str) -> ParamRef:
    return ParamRef(Digest(named(text)), "array", 40_000, (100, 100), "<f4")


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return round(time.perf_counter() - began, 4)


def measure(client: Redis, count: int) -> dict[str, float]:
    """All figures, for so many phrases' worth of results."""
    names = [named(str(number)) for number in range(count)]
    index, board = RedisIndex(client), RedisBoard(client, "qx", R)
    log, jobs = RedisEventLog(client, "qx", R), RedisJobStore(client, "qx")
    told: dict[str, float] = {"count": count}
    told["index_find_nothing"] = timed(lambda: index.find(names))
    index.add({name: (large(name),) for name in names})
    before = int(client.info("memory")["used_memory"])
    told["index_flush"] = timed(index.flush)
    told["index_bytes_each"] = round((int(client.info("memory")["used_memory"]) - before) / count, 1)
    told["index_find_all"] = timed(lambda: index.find(names))
    values = {Address(SegmentId(f"p{number}"), PortKey("mix", "audio")): large(str(number)) for number in range(count)}
    told["board_put"] = timed(lambda: board.put(values))
    told["board_take"] = timed(lambda: board.take(list(values)))
    told["event_ms"] = timed(lambda: [log.append(StageStarted(R, number, 1)) for number in range(1000)])
    told["events_together"] = timed(lambda: log.append_all([StageStarted(R, number, 1) for number in range(count)]))
    told["events_read"] = timed(lambda: log.since(0))
    told["claim_and_give_back_ms"] = timed(lambda: claim_each(client, names[:1000]))
    told["job_ms"] = timed(lambda: run_jobs(jobs, 1000))
    return told


def claim_each(client: Redis, names: list[Signature]) -> None:
    """Claim computations and give them back, one by one."""
    with closing(RedisClaims(client)) as claims:
        for name in names:
            assert claims.take(name)
            claims.give_back([name])


def run_jobs(jobs: RedisJobStore, count: int) -> None:
    """Submit, claim and end jobs, one after the other."""
    for number in range(count):
        jobs.submit(Accepted(RenderId(f"r{number}"), Digest("0" * 64), f"work{number}", Submission()))
        claim = jobs.claim_next("anna")
        assert claim is not None
        assert jobs.end(claim.render, claim.token, "succeeded", {})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--count", type=int, default=10_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = start(Path(folder) / "redis")
        try:
            with closing(connect_to(server.url)) as client:
                told = measure(client, options.count)
        finally:
            server.kill()
    print(json.dumps(told) if options.json else "\n".join(f"{name:24} {value}" for name, value in told.items()))


if __name__ == "__main__":
    main()
