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
from quincunx_orchestrator.farm.pins import MADE, Pin, Pins, last_orders, song_of
from quincunx_orchestrator.farm.schedule_store import RedisSchedules
from quincunx_orchestrator.farm.submission import Accepted
from quincunx_shared.errors import BadInput, BlobsLost, FarmError
from quincunx_shared.farm.redis_client import connect, plain_errors
from quincunx_shared.farm.redis_index import RedisIndex
from quincunx_shared.farm.settings import FarmSettings
from quincunx_shared.farm.wire import BadMessage
from quincunx_shared.names import Digest, Signature
from quincunx_shared.ports import BlobStore, Outputs
from quincunx_shared.stores.farm_store import FarmStore, store_from
from quincunx_shared.stores.journal_upkeep import SETTLED_SECONDS, compact
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
    """Whose the results of a farm are, from what its queue remembers of each song's last job, and from its pins."""

    def __init__(self, jobs: RedisJobStore, schedules: RedisSchedules, pins: Pins, blobs: BlobStore) -> None:
        self._jobs = jobs
        self._schedules = schedules
        self._pins = pins
        self._blobs = blobs
        self._disowned: set[str] = set()

    def owned(self) -> tuple[Owned, ...]:
        """What the songs use, by step."""
        return tuple(one for one in self._owned if one.song not in self._disowned)

    def pins(self) -> frozenset[str]:
        """The songs that are pinned, for all who use the farm."""
        return frozenset(self._pinned)

    def pinned_paths(self) -> list[str]:
        """Where the files of the songs are that are pinned."""
        return sorted(one.path for one in self._pinned.values())

    def pin(self, song: str) -> None:
        """Keep what a song of `owned` uses. Raises `BadInput` if nothing was made of it."""
        order = self._last.get(song)
        if order not in self._orders:
            raise BadInput("nothing was made of this song yet", where=song, remedy="submit it, and pin it then")
        path = next(one.path for one in self._owned if one.song == song)
        self._pins.set(Pin(song, path, order))

    def unpin(self, song: str) -> None:
        """Keep it no longer than others."""
        self._pins.remove(song)

    def renew_pins(self) -> None:
        """Have every pin name what was rendered of its song last: one day only the pin remembers it."""
        self._pins.renew(last_orders(self._records))

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
        digests |= {one.order for one in self._scheduled} | {one.order for one in self._pinned.values()}
        # A job that failed may be tried again as it was.
        for order in self._read(set(self._orders) | set(last_orders(self._records, None).values())).values():
            digests |= payload_digests(order) | order.files
        return digests

    @cached_property
    def _records(self) -> list[JobRecord]:
        return self._jobs.jobs(limit=_ALL)

    @cached_property
    def _scheduled(self) -> list[Accepted]:
        return [one.schedule.job for one in self._schedules.all()]

    @cached_property
    def _pinned(self) -> dict[str, Pin]:
        return {one.song: one for one in self._pins.all()}

    @cached_property
    def _last(self) -> dict[str, Digest]:
        """Of each song the last that was made, or is about to be."""
        return last_orders(self._records, (*MADE, *ACTIVE))

    @cached_property
    def _orders(self) -> dict[Digest, Order]:
        """The orders of active and scheduled jobs, of the last job of each song, and of pins."""
        wanted = {one.order for one in self._records if one.state in ACTIVE} | set(self._last.values())
        wanted |= {one.order for one in self._scheduled} | {one.order for one in self._pinned.values()}
        return self._read(wanted)

    def _read(self, wanted: Iterable[Digest]) -> dict[Digest, Order]:
        found: dict[Digest, Order] = {}
        for digest in wanted:
            try:
                found[digest] = order_from_bytes(bytes(self._blobs.get(digest)))
            except (BlobsLost, BadMessage):
                # Lost, or of another version: nothing is known of it, and its song has no owner.
                continue
        return found

    @cached_property
    def _owned(self) -> tuple[Owned, ...]:
        by_song: dict[tuple[str, str, str], set[bytes]] = {}
        used: dict[str, float] = {}
        told = [
            (song_of(one), one.song or one.render, one.order, max(one.submitted_at, one.ended_at))
            for one in self._records
        ]
        told += [(one.song, one.path, one.order, 0.0) for one in self._pinned.values()]
        for song, path, digest, at in told:
            if digest not in self._orders:
                continue
            used[song] = max(used.get(song, 0.0), at)
            for segment in self._orders[digest].song.segments.values():
                for step in segment.steps.values():
                    by_song.setdefault((song, path, step.step.step), set()).add(bytes.fromhex(step.signature))
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
        self._owners = FarmOwners(jobs, schedules, Pins(store.documents), store.blobs)
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
            self._owners.renew_pins()
            self._tidy(SETTLED_SECONDS)
        return removal

    def purge(self, song: str | None = None) -> Removal:
        """Remove the results of a song, by its key, or all."""
        removal = self._upkeep.purge(song=song)
        self._tidy(0.0)
        return removal

    def pinned(self) -> list[str]:
        """The songs that are pinned, by the path of their files."""
        return self._owners.pinned_paths()

    def pin(self, song: str, *, pinned: bool) -> None:
        """Keep what a song of `songs` uses, as it is rendered last, whatever its age; or no longer."""
        if pinned:
            self._owners.pin(song)
        else:
            self._owners.unpin(song)

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
