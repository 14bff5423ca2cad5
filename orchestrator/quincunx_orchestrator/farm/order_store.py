"""Writes orders, and stores them with all they read: once a job is accepted, nothing of it depends on who submitted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quincunx_orchestrator.core.bound import BoundSong
from quincunx_orchestrator.core.planner import StepKey
from quincunx_orchestrator.core.segment_names import names_of
from quincunx_orchestrator.farm.order import order_to_bytes
from quincunx_orchestrator.farm.order_rows import RowWriter
from quincunx_shared.canonical import digest_of_bytes
from quincunx_shared.names import Address, Digest
from quincunx_shared.recall import Recall


@dataclass(frozen=True)
class Wanted:
    """What of a song is wanted: `beside` are targets that may fail, `files` are those of its voices."""

    song: BoundSong
    targets: Sequence[Address]
    beside: Sequence[Address] = ()
    files: Mapping[Digest, Path] = field(default_factory=dict)

    @property
    def every(self) -> tuple[Address, ...]:
        """All targets."""
        return (*self.targets, *self.beside)


@dataclass(frozen=True)
class WrittenOrder:
    """An order in bytes, and the files it may read."""

    content: bytes
    files: Mapping[Digest, Path]

    @property
    def digest(self) -> Digest:
        """Its name in the store."""
        return digest_of_bytes(self.content)


class OrderStore:
    """Where a client writes and stores its orders. It remembers what it stored, so that an edit stores what changed."""

    def __init__(self, recall: Recall) -> None:
        self._recall = recall
        #: What is known to lie in the store, so that nobody asks again.
        self._stored: set[Digest] = set()
        self._rows = RowWriter()

    def write(self, wanted: Wanted, reasons: Mapping[StepKey, str] | None = None) -> WrittenOrder:
        """Write an order; `reasons` say why a step runs, as far as is known."""
        song = wanted.song
        read = {digest: wanted.files[digest] for digest in sorted(_files_read(song, wanted.files))}
        paths: dict[str, str] = {digest: str(path) for digest, path in read.items()}
        content = order_to_bytes(
            song,
            song.places(wanted.targets).values(),
            song.places(wanted.beside).values(),
            reasons=reasons,
            names=names_of((one.segment for one in song.segments.values()), paths),
            files=read,
            rows=self._rows,
        )
        return WrittenOrder(content, read)

    def store(self, song: BoundSong, order: WrittenOrder) -> None:
        """Store the order, every payload its steps read, and the files of its voices, as far as they are not there."""
        contents: dict[Digest, Callable[[], bytes | memoryview]] = {order.digest: lambda: order.content}
        for name in song.segments:
            for encoded in song.payloads(name):
                if encoded.ref.inline is None and encoded.ref.digest not in self._stored:
                    contents[encoded.ref.digest] = lambda content=encoded.content: content  # type: ignore[misc]
        for digest in order.files.keys() - self._stored:
            contents[digest] = order.files[digest].read_bytes
        for digest in self._recall.blobs.missing(contents):
            self._recall.blobs.put(digest, contents[digest]())
        self._recall.blobs.flush()
        self._stored.update(contents)

    def lost(self, digests: Iterable[Digest]) -> None:
        """Look again for what is not in the store any more, the next time it is needed."""
        gone = set(digests)
        self._stored -= gone
        self._recall.doubt(gone)


def _files_read(song: BoundSong, files: Mapping[Digest, Path]) -> set[Digest]:
    """The files of voices that steps of the song may ask for: they stand by digest in options and in inputs."""
    if not files:
        return set()
    steps = {id(one.step): one.step for segment in song.segments.values() for one in segment.steps.values()}
    found = {digest for step in steps.values() for digest in _texts_in(step.options) if digest in files}
    left = {digest.encode(): digest for digest in files if digest not in found}
    payloads = (encoded for name in song.segments for encoded in song.payloads(name))
    for content in {encoded.ref.digest: encoded.content for encoded in payloads if encoded.ref.kind == "json"}.values():
        met = [name for name in left if name in content]
        found.update(left.pop(name) for name in met)
    return found


def _texts_in(value: object) -> Iterator[Any]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts_in(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts_in(one)
