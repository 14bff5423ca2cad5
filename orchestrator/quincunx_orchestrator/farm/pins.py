"""Songs whose results stay on a farm whatever their age: a document each in the store, which outlives every record.

A pin names an order of its song. The records of jobs are forgotten one day; the order says then what the song uses. As
long as jobs are remembered, coordinators and `cache gc` have every pin name the last of them.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace

from quincunx_orchestrator.farm.job import JobRecord, JobState
from quincunx_shared.canonical import digest_of_bytes
from quincunx_shared.errors import StoreError
from quincunx_shared.farm.wire import dump
from quincunx_shared.names import Digest
from quincunx_shared.ports import Documents

#: Where pins lie, one under the digest of each song's key.
DOCUMENTS = "pins/"

#: What a job of another state has computed is kept like that of any earlier edit; the song is what was made before it.
MADE: tuple[JobState, ...] = ("succeeded", "partial")


@dataclass(frozen=True)
class Pin:
    """A song by its key, where its file was, and what was rendered of it."""

    song: str
    path: str
    order: Digest


@dataclass(frozen=True)
class Pins:
    """The pins of a farm."""

    documents: Documents

    def all(self) -> tuple[Pin, ...]:
        """Every pin. Raises `StoreError` where one cannot be read: what it keeps must not leave unnoticed."""
        found = ((name, self.documents.get(name)) for name in self.documents.names(DOCUMENTS))
        return tuple(_read(name, content) for name, content in found if content is not None)

    def set(self, pin: Pin) -> None:
        """Pin a song, in the place of an older pin of it."""
        self.documents.put(_name(pin.song), dump(asdict(pin)))

    def renew(self, last: Mapping[str, Digest]) -> None:
        """Have every pin name what was rendered of its song last."""
        for pin in self.all():
            if last.get(pin.song, pin.order) != pin.order:
                self.set(replace(pin, order=last[pin.song]))

    def remove(self, song: str) -> None:
        """Let a song go; one that is not pinned stays so."""
        self.documents.delete(_name(song))


def song_of(record: JobRecord) -> str:
    """The key of the song that a job renders."""
    return record.song_key or record.song or record.render


def last_orders(records: Iterable[JobRecord], states: Collection[JobState] | None = MADE) -> dict[str, Digest]:
    """Of each song, by key, the order of the last job in one of these states, or in any: the last that made it."""
    found = (one for one in records if states is None or one.state in states)
    return {song_of(one): one.order for one in sorted(found, key=lambda one: one.submitted_at)}


def _name(song: str) -> str:
    return f"{DOCUMENTS}{digest_of_bytes(song.encode('utf-8', 'backslashreplace'))}"


def _read(name: str, content: bytes) -> Pin:
    try:
        told = json.loads(content)
        return Pin(str(told["song"]), str(told["path"]), Digest(told["order"]))
    except (ValueError, TypeError, KeyError) as error:
        raise StoreError("a pin cannot be read", where=name, remedy="upgrade the older side") from error
