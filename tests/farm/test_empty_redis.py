"""A Redis that comes back empty: what workers had computed is known again, and what was accepted is queued again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from quincunx_orchestrator.farm.opening import open_farm
from quincunx_orchestrator.farm.redis_server import RedisServer
from quincunx_orchestrator.farm.submission import Accepted, Submission, accepted_to_bytes, document_name
from quincunx_shared.canonical import digest_of
from quincunx_shared.farm.settings import FarmSettings
from quincunx_shared.names import Digest, RenderId, Signature
from quincunx_shared.payload import ParamRef
from quincunx_shared.stores.journal import JournalledIndex
from quincunx_workers.farm.draining import Draining
from quincunx_workers.farm.tally import Tally
from quincunx_workers.farm.workplace import Skills, Workplace

if TYPE_CHECKING:
    from redis import Redis

NAME = Signature(digest_of("a step"))
MADE = (ParamRef(digest_of("inline"), "bytes", 6, inline=b"inline"),)
JOB = Accepted(RenderId("lost"), Digest("0" * 64), "work", Submission())


def test_what_was_computed_and_what_was_accepted_outlives_redis(
    redis: Redis, redis_server: RedisServer, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.touch(mode=0o600)
    key.write_text("k" * 64)
    settings = FarmSettings(
        redis_url=redis_server.url,
        store=f"file://{tmp_path}/store",
        envelope_key_file=key,
        cache_dir=tmp_path / "cache",
    )
    bench = Workplace(settings, Skills.installed(settings), "anna", "cpu", Draining(), Tally()).post().bench
    bench.index.add({NAME: MADE})
    bench.recall.flush()
    assert isinstance(bench.index, JournalledIndex)
    bench.index.close()
    with open_farm(settings) as farm:
        farm.store.documents.put(document_name(JOB.render), accepted_to_bytes(JOB))
        farm.jobs.submit(JOB)
        assert farm.recall.find([NAME]) == {NAME: MADE}
        redis.flushall()
        assert farm.recall.find([NAME]) == {}
        farm.housekeeper().look()
        assert farm.recall.find([NAME]) == {NAME: MADE}
        claim = farm.jobs.claim_next("bert")
        assert claim is not None
        assert claim.render == JOB.render
