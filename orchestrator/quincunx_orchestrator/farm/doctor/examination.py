"""The whole examination, in the order in which a person mends things."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

from quincunx_orchestrator.farm.doctor.broker import CHECKS, check_broker
from quincunx_orchestrator.farm.doctor.crew import check_crew, crew_of
from quincunx_orchestrator.farm.doctor.findings import Finding, fault, skipped
from quincunx_orchestrator.farm.doctor.here import check_disk, check_runtimes, check_secrets
from quincunx_orchestrator.farm.doctor.store import check_store
from quincunx_shared.errors import FarmError, FarmRefused
from quincunx_shared.farm.secret_file import BadSecret
from quincunx_shared.farm.settings import FarmSettings


def examine(settings: FarmSettings, cache: Path, clock: Callable[[], float] = time.time) -> Iterator[Finding]:
    """Yield what is found, check by check. Nothing is changed but keys and objects of our own, which go again."""
    yield check_runtimes()
    yield check_disk(cache, settings.cache_size)
    yield from check_secrets(settings)
    if not settings.named:
        yield fault("farm", "no farm is named", "quincunx dev, or set redis_url and store", unreachable=True)
        return
    yield from check_store(settings)
    yield from _check_redis(settings, clock)


def _check_redis(settings: FarmSettings, clock: Callable[[], float]) -> Iterator[Finding]:
    from quincunx_shared.farm.redis_client import connect, plain_errors

    try:
        client = connect(settings, name="quincunx-doctor")
    except BadSecret as error:
        yield from (skipped(one, f"its password cannot be read: {error.where}") for one in ("Redis", *CHECKS))
        return
    with closing(client):
        findings = list(check_broker(client, settings.namespace, clock))
        yield from findings
        if any(one.check in ("Redis", "Redis rights") and one.verdict == "fault" for one in findings):
            yield skipped("coordinator, workers, leases", "Redis cannot be asked")
            return
        try:
            with plain_errors():
                crew = crew_of(client, settings.namespace, settings.lease_seconds)
        except FarmRefused:
            # As it should be: a worker knows nothing of jobs.
            yield skipped("coordinator, workers, leases", "this user may not look at jobs; run it as client")
            return
        except FarmError as error:
            yield fault("coordinator, workers, leases", error.what, error.remedy)
            return
        yield from check_crew(crew, version("quincunx"))
