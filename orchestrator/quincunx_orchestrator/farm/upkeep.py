"""Looking after the cache of a farm: the store, the index in Redis, and its journal.

It is the upkeep of every cache, with other eyes: whose results are is read from the orders of the songs' last jobs,
and who renders now from the queue. What leaves all the same is to everybody a miss that heals.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cached_property

from quincunx_orchestrator.farm.housekeeping import epoch_key
from quincunx_orchestrator.farm.job import ACTIVE, JobRecord
from quincunx_orchestrator.farm.job_store import RedisJobStore
from quincunx_orchestrator.farm.order import Order, order_from_bytes, payload_digests
from quincunx_orchestrator.farm.schedule_store import RedisSchedules
from quincunx_orchestrator.farm.submission import Accepted
from quincunx_shared.errors import BlobsLost, FarmError
from quincunx_shared.farm.redis_client import connect, plain_errors
from quincunx_shared.farm.redis_index import RedisIndex
from quincunx_shared.farm.settings import FarmSettings
from quincunx_shared.farm.wire import BadMessage
from quincunx_shared.names import Digest, RenderId, Signature
from quincunx_shared.ports import BlobStore, Outputs
from quincunx_shared.stores.farm_store import FarmStore, store_from
from quincunx_shared.stores.journal import SETTLED_SECONDS, compact
from quincunx_shared.stores.owners import Owned
from quincunx_shared.stores.upkeep import Findings, Removal, Statistics, Upkeep

#: More jobs than a farm keeps.
_ALL = 1_000_000


@dataclass
class FarmRecords:
    """The records of a farm's index; `dropped` are those that left through here."""

    index: RedisIndex
    dropped: set[Signature] = field(default_factory=set)

    def records(self) -> Iterator[tuple[bytes, Outputs | None]]:
        """Every record."""
        return ((bytes.fromhex(name), outputs) for name, outputs in self.index.records())

    def drop(self, keys: Iterable[bytes]) -> None:
        """Remove records."""
        names = [Signature(key.hex()) for key in keys]
        self.index.forget(names)
        self.dropped.update(names)


class FarmOwners:
    """Whose the results of a farm are, from what its queue remembers of each song's last job."""

    def __init__(self, jobs: RedisJobStore, schedules: RedisSchedules, blobs: BlobStore) -> None:
        self._jobs = jobs
        self._schedules = schedules
        self._blobs = blobs
        self._disowned: set[str] = set()

    def owned(self) -> tuple[Owned, ...]:
        """What the songs use, by step."""
        return tuple(one for one in self._owned if one.song not in self._disowned)

    def pins(self) -> frozenset[str]:
        """Nothing: a farm belongs to many, and its size to whoever runs it."""
        return frozenset()

    def disown(self, songs: Iterable[str]) -> None:
        """Leave songs out from now on; the queue forgets them in its own time."""
        self._disowned.update(songs)

    def note_gone(self, signatures: Iterable[bytes], why: str, now: float) -> None:
        """Who asks a farm why something runs is told what changed, and no more."""

    def measured(self, size_bytes: int, now: float) -> None:
        """A farm is measured when somebody asks."""

    def began(self) -> float:
        """Since when a job has been waiting or running."""
        return min((one.submitted_at for one in self._records if one.state in ACTIVE), default=math.inf)

    def kept(self) -> set[Digest]:
        """What jobs may still be asked for: orders and results of all, and what orders read that may yet run."""
        digests = {one.order for one in self._records}
        digests |= {Digest(one.result["digest"]) for one in self._records if "digest" in one.result}
        digests |= {one.order for one in self._scheduled}
        for order in self._orders.values():
            digests |= payload_digests(order) | order.files
        return digests

    @cached_property
    def _records(self) -> list[JobRecord]:
        return self._jobs.jobs(limit=_ALL)

    @cached_property
    def _scheduled(self) -> list[Accepted]:
        return [one.schedule.job for one in self._schedules.all()]

    @cached_property
    def _orders(self) -> dict[RenderId, Order]:
        """The orders of active and scheduled jobs, and of the last job of each song, by render."""
        last = {one.song_key or one.song: one for one in sorted(self._records, key=lambda one: one.submitted_at)}
        wanted = {one.render: one.order for one in self._records if one.state in ACTIVE}
        wanted |= {one.render: one.order for one in last.values()}
        wanted |= {one.render: one.order for one in self._scheduled}
        found: dict[RenderId, Order] = {}
        for render, digest in wanted.items():
            try:
                found[render] = order_from_bytes(bytes(self._blobs.get(digest)))
            except (BlobsLost, BadMessage):
                # Lost, or of another version: nothing is known of it, and its song has no owner.
                continue
        return found

    @cached_property
    def _owned(self) -> tuple[Owned, ...]:
        by_song: dict[tuple[str, str, str], set[bytes]] = {}
        used: dict[str, float] = {}
        for one in self._records:
            order = self._orders.get(one.render)
            if order is None:
                continue
            song = one.song_key or one.song or one.render
            used[song] = max(used.get(song, 0.0), one.submitted_at, one.ended_at)
            for segment in order.song.segments.values():
                for step in segment.steps.values():
                    key = (song, one.song or one.render, step.step.step)
                    by_song.setdefault(key, set()).add(bytes.fromhex(step.signature))
        return tuple(
            Owned(song, path, "", step, used[song], frozenset(signatures))
            for (song, path, step), signatures in by_song.items()
        )


class FarmUpkeep:
    """Works on the cache of one farm; `store` is where its blobs are."""

    def __init__(
        self, store: FarmStore, index: RedisIndex, jobs: RedisJobStore, schedules: RedisSchedules, *, whole: bool = True
    ) -> None:
        self._store = store
        self._records = FarmRecords(index)
        self._owners = FarmOwners(jobs, schedules, store.blobs)
        #: Whether the index knows what it should: a Redis that lost everything promises nothing.
        self._whole = whole
        self._upkeep = Upkeep(store.shelf, self._records, self._owners, self._owners.began, self._owners.kept)

    def statistics(self) -> Statistics:
        """Count everything."""
        return self._upkeep.statistics()

    def verify(self, *, repair: bool) -> Findings:
        """Read everything and compare; with `repair`, drop what is wrong."""
        return self._upkeep.verify(repair=repair)

    def collect(self, limit_bytes: float, *, dry_run: bool = False) -> Removal:
        """Remove what nobody promises, make room down to a limit, and tidy the journal.

        Raises `FarmError` while Redis has not got back what it lost: nothing is promised then, and all would leave.
        """
        if not self._whole:
            told = "Redis knows nothing of this farm, so that every result would seem to be nobody's"
            raise FarmError(told, remedy="start a coordinator, which finds again what Redis lost; then try again")
        removal = self._upkeep.collect(limit_bytes, dry_run=dry_run)
        if not dry_run:
            self._tidy(SETTLED_SECONDS)
        return removal

    def purge(self, song: str | None = None) -> Removal:
        """Remove the results of a song, by its key, or all."""
        removal = self._upkeep.purge(song=song)
        self._tidy(0.0)
        return removal

    def songs(self) -> dict[str, str]:
        """The songs whose results are known, by key."""
        return {one.song: one.path for one in self._owners.owned()}

    def _tidy(self, settled_seconds: float) -> None:
        compact(self._store.blobs, self._store.documents, self._records.dropped, settled_seconds)


@contextmanager
def open_upkeep(settings: FarmSettings) -> Iterator[tuple[FarmUpkeep, str]]:
    """Yield who looks after the farm that the settings name, and where its store is."""
    where = f"Redis at {settings.redis_url}"
    with (
        plain_errors(where),
        closing(connect(settings, name="quincunx")) as client,
        closing(store_from(settings)) as store,
    ):
        jobs = RedisJobStore(client, settings.namespace, lease_seconds=settings.lease_seconds)
        schedules = RedisSchedules(client, settings.namespace, jobs, store.documents)
        whole = bool(client.exists(epoch_key(settings.namespace)))
        index = RedisIndex(client, settings.namespace)
        yield FarmUpkeep(store, index, jobs, schedules, whole=whole), store.where
