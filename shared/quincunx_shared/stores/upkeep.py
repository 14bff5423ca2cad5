"""Looking after a cache, on a machine or on a farm: how large it is and whose, whether it is whole, what has to leave.

Everything here may run while other processes render: blobs that a running render reads stay, and what leaves all the
same is to everybody a miss that heals.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from quincunx_shared.eviction import Aged, evictions
from quincunx_shared.names import Digest
from quincunx_shared.payload import ParamRef
from quincunx_shared.ports import Outputs
from quincunx_shared.stores.folder import BlobFile, FolderBlobStore
from quincunx_shared.stores.leases import oldest_render
from quincunx_shared.stores.owners import COARSE_SECONDS, Owned, SqliteOwners, pin_of_voice
from quincunx_shared.stores.shelf import Owners, Records, Shelf
from quincunx_shared.stores.sqlite import SqliteIndex

#: Blobs come before the records that promise them: one that nobody promises is an orphan only when it is older.
ORPHAN_SECONDS = 3600.0

#: What a crash did not add to the believed size is found at the latest after this time.
MEASURED_SECONDS = 3600.0


@dataclass(frozen=True)
class Room:
    """How much room something takes: blobs shared with others count in full."""

    results: int
    blob_bytes: int


@dataclass(frozen=True)
class Statistics:
    """A cache in numbers. `shared_bytes` of songs and voices may overlap; `unowned` belongs to no song as it is now."""

    results: int
    blobs: int
    blob_bytes: int
    songs: Mapping[str, Room]
    voices: Mapping[str, Room]
    steps: Mapping[str, Room]
    unowned_bytes: int
    pinned: tuple[str, ...]


@dataclass(frozen=True)
class Findings:
    """What is wrong in a cache: blobs by digest, files that are none of ours, results whose blobs are not there."""

    blobs: int
    results: int
    corrupt: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    broken: tuple[bytes, ...] = field(default=(), repr=False)

    @property
    def whole(self) -> bool:
        """Whether everything is as it was written."""
        return not (self.corrupt or self.foreign or self.broken)


@dataclass(frozen=True)
class Removal:
    """What left, or would leave."""

    blobs: int
    size_bytes: int
    results: int
    left_bytes: int


class Upkeep:
    """Works on one cache. `began` says since when somebody has been rendering on it, or infinity; `kept` names blobs
    that no record promises and that stay all the same."""

    def __init__(
        self,
        blobs: Shelf,
        index: Records,
        owners: Owners,
        began: Callable[[], float],
        kept: Callable[[], AbstractSet[Digest]] = frozenset,
    ) -> None:
        self._blobs = blobs
        self._index = index
        self._owners = owners
        self._began = began
        self._kept = kept

    def statistics(self) -> Statistics:
        """Count everything."""
        files = {one.digest: one for one in self._blobs.files()}
        digests = self._digests_by_signature()
        owned = self._owners.owned()
        songs = {one.path: self._room(mine, digests, files) for one, mine in _merged(owned, "song")}
        voices = {one.voice: self._room(mine, digests, files) for one, mine in _merged(owned, "voice") if one.voice}
        steps = {one.step: self._room(mine, digests, files) for one, mine in _merged(owned, "step")}
        of_songs = {digest for one in owned for key in one.signatures for digest in digests.get(key, ())}
        unowned = sum(one.size_bytes for digest, one in files.items() if digest not in of_songs)
        total, pins = sum(one.size_bytes for one in files.values()), self._owners.pins()
        pinned = {one.path for one in owned if one.song in pins}
        pinned |= {one.voice for one in owned if one.voice and pin_of_voice(one.voice) in pins}
        return Statistics(len(digests), len(files), total, songs, voices, steps, unowned, tuple(sorted(pinned)))

    def verify(self, *, repair: bool) -> Findings:
        """Read everything and compare; with `repair`, drop what is wrong, so that it is computed again."""
        corrupt, foreign = [], list(self._blobs.foreign_files())
        sizes: dict[Digest, int] = {}
        listed = {one.digest: one.size_bytes for one in self._blobs.files()}
        for digest, is_right in self._blobs.holding(listed):
            if is_right:
                sizes[digest] = listed[digest]
            else:
                corrupt.append(digest)
        broken, results = [], 0
        for key, outputs in self._index.records():
            results += 1
            if outputs is None or any(sizes.get(ref.digest, -1) != ref.size_bytes for ref in _stored(outputs)):
                broken.append(key)
        if repair:
            self._index.drop(broken)
            self._blobs.drop(corrupt)
            self._blobs.drop_foreign(foreign)
        return Findings(len(sizes) + len(corrupt), results, tuple(corrupt), tuple(foreign), tuple(broken))

    def collect(self, limit_bytes: float, *, dry_run: bool = False) -> Removal:
        """Remove what nobody promises, and the least recently used until the rest fits below the limit."""
        files = {one.digest: one for one in self._blobs.files()}
        digests = self._digests_by_signature()
        promised = {digest for mine in digests.values() for digest in mine}
        began, kept = self._began(), self._kept()
        orphans = {
            digest
            for digest, one in files.items()
            if digest not in promised
            and digest not in kept
            and one.written_at < min(began, time.time() - ORPHAN_SECONDS)
        }
        ages = self._ages(files, digests, began, kept)
        leaving = {*orphans, *evictions((one for one in ages if one.digest not in orphans), limit_bytes)}
        return self._remove(leaving, digests, files, f"evicted to stay below {in_words(limit_bytes)}", dry_run=dry_run)

    def purge(self, *, song: str | None = None, voice: str | None = None) -> Removal:
        """Remove the results of a song, of a voice, or all; what another song uses as well stays for it.

        With a voice go the songs it sings in as they are mixed: they hold its sound. So may results that belong to
        no song any more, and of which is not known who sang them: they go as well.
        """
        files, digests = {one.digest: one for one in self._blobs.files()}, self._digests_by_signature()
        owned = self._owners.owned()
        if song is None and voice is None:
            self._owners.disown({one.song for one in owned})
            leaving = set(files)
            removal = self._remove(leaving, digests, files, "purged", dry_run=False)
            rest = set(self._digests_by_signature())
            self._index.drop(rest)
            return Removal(removal.blobs, removal.size_bytes, removal.results + len(rest), removal.left_bytes)
        sung_in = {one.song for one in owned if one.voice == voice}
        of_voice = [one for one in owned if one.song in sung_in and one.voice in (voice, "")]
        mine = [one for one in owned if one.song == song] if song is not None else of_voice
        names = {key for one in mine for key in one.signatures}
        if voice is not None:
            names |= digests.keys() - {key for one in owned for key in one.signatures}
        others = {key for one in owned if one not in mine for key in one.signatures}
        kept = {digest for key in others for digest in digests.get(key, ())}
        leaving = {digest for key in names - others for digest in digests.get(key, ())} - kept
        removal = self._remove(leaving, digests, files, "purged", dry_run=False)
        inline = [key for key in names - others if key in digests]
        self._index.drop(inline)
        if song is not None:
            self._owners.disown([song])
        return removal

    def _digests_by_signature(self) -> dict[bytes, tuple[Digest, ...]]:
        return {key: tuple(ref.digest for ref in _stored(outputs)) for key, outputs in self._index.records() if outputs}

    def _room(
        self, keys: Iterable[bytes], digests: Mapping[bytes, tuple[Digest, ...]], files: Mapping[Digest, BlobFile]
    ) -> Room:
        there = [key for key in keys if key in digests]
        mine = {digest for key in there for digest in digests[key]}
        return Room(len(there), sum(files[digest].size_bytes for digest in mine if digest in files))

    def _ages(
        self,
        files: Mapping[Digest, BlobFile],
        digests: Mapping[bytes, tuple[Digest, ...]],
        began: float,
        kept: AbstractSet[Digest],
    ) -> list[Aged]:
        """A blob was last of use when a song that reads it was rendered, or when it was made."""
        used = {digest: one.written_at for digest, one in files.items()}
        pinned = set(kept)
        pins = self._owners.pins()
        for one in self._owners.owned():
            for key in one.signatures:
                for digest in digests.get(key, ()):
                    used[digest] = max(used.get(digest, 0.0), one.at)
                    if one.is_pinned(pins):
                        pinned.add(digest)
        # A song is not noted as used again within that time, so what looks older may be read right now.
        border = began - COARSE_SECONDS
        return [
            Aged(digest, one.size_bytes, used[digest], digest in pinned or used[digest] >= border)
            for digest, one in files.items()
        ]

    def _remove(
        self,
        leaving: set[Digest],
        digests: Mapping[bytes, tuple[Digest, ...]],
        files: Mapping[Digest, BlobFile],
        why: str,
        *,
        dry_run: bool,
    ) -> Removal:
        """First the records, then the blobs they promise: who looks in between finds nothing rather than a promise."""
        lost = [key for key, mine in digests.items() if not leaving.isdisjoint(mine)]
        size = sum(files[digest].size_bytes for digest in leaving if digest in files)
        left = sum(one.size_bytes for one in files.values()) - size
        if not dry_run:
            now = time.time()
            self._owners.note_gone(lost, f"{why} on {datetime.fromtimestamp(now):%Y-%m-%d}", now)
            self._index.drop(lost)
            self._blobs.drop(leaving)
            self._owners.measured(left, now)
        return Removal(len(leaving), size, len(lost), left)


class MachineUpkeep(Upkeep):
    """Works on the cache in a folder, which looks after its size by itself."""

    def __init__(self, root: Path, blobs: FolderBlobStore, index: SqliteIndex, owners: SqliteOwners) -> None:
        super().__init__(blobs, index, owners, lambda: oldest_render(root))
        self._folder = blobs
        self._believed = owners

    def keep_below(self, limit_bytes: float | None) -> Removal | None:
        """Make room if the cache is believed to be too large; costs next to nothing if it is not."""
        now = time.time()
        believed, measured_at = self._believed.grow(self._folder.take_written())
        if limit_bytes is None or (believed <= limit_bytes and now - measured_at < MEASURED_SECONDS):
            return None
        true = sum(one.size_bytes for one in self._folder.files())
        self._believed.measured(true, now)
        return self.collect(limit_bytes) if true > limit_bytes else None


def in_words(count: float) -> str:
    """Return a size as people write it."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count:.0f} bytes"


def _stored(outputs: Outputs) -> list[ParamRef]:
    return [ref for ref in outputs if ref.inline is None]


def _merged(owned: Iterable[Owned], by: str) -> list[tuple[Owned, set[bytes]]]:
    groups: dict[str, list[Owned]] = defaultdict(list)
    for one in owned:
        groups[getattr(one, by)].append(one)
    return [(mine[-1], {key for one in mine for key in one.signatures}) for _, mine in sorted(groups.items())]
