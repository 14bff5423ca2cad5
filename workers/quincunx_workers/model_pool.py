"""Models in memory, each loaded once however many threads ask for it; `residency` decides what goes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias, TypeVar

from quincunx_shared.errors import BadVoicebank
from quincunx_shared.names import Digest
from quincunx_shared.step import Model
from quincunx_workers.bank_file import BankFileChanged, read_held
from quincunx_workers.residency import Resident, evictions

#: Loads the model at a path and holds it to its digest.
LoadModel: TypeAlias = Callable[[Path, Digest], Model]

#: Enough for the models of a few voices.
BUDGET_BYTES = 4 * 2**30


_Read = TypeVar("_Read")


@dataclass(frozen=True)
class ModelLibrary:
    """Where the files of the banks lie: models, dictionaries, embeddings, by the digest of their content."""

    paths: Mapping[Digest, Path]
    #: Hears of a file that is another one than its digest says.
    changed: Callable[[Path], None] = lambda _: None

    def path(self, digest: Digest) -> Path:
        """Return where the file with this digest lies."""
        try:
            return self.paths[digest]
        except KeyError:
            raise BadVoicebank(
                f"no file of a voicebank here has the digest {digest}", remedy="install the bank on this machine"
            ) from None


class Library(Protocol):
    """Where the files of the banks lie."""

    def path(self, digest: Digest) -> Path:
        """Return where the file with this digest lies. Raises `BadVoicebank`."""

    @property
    def changed(self) -> Callable[[Path], None]:
        """Hears of a file that is another one than its digest says."""


@dataclass
class _Seat:
    """A place in the pool: taken when loading starts, so that the budget counts what is on its way."""

    size_bytes: int
    last_use: int
    model: Future[Model]


class ModelPool:
    """Lends resident models and bank files to steps. Safe to use from any number of threads.

    Dropping a model takes it from the pool; its memory is free when the last step that runs it ends.
    """

    def __init__(self, library: Library, load: LoadModel, budget_bytes: int = BUDGET_BYTES) -> None:
        self._library = library
        self._load = load
        self._budget_bytes = budget_bytes
        self._guard = threading.Lock()
        self._seats: dict[Digest, _Seat] = {}
        self._uses = 0

    @property
    def resident(self) -> tuple[Digest, ...]:
        """The models in memory or on their way, least recently used first."""
        with self._guard:
            return tuple(sorted(self._seats, key=lambda digest: self._seats[digest].last_use))

    def model(self, digest: Digest) -> Model:
        """Return the resident model, loading it first if need be; a second asker waits for the first one's load."""
        return self._twice(digest, self._model)

    def _model(self, digest: Digest) -> Model:
        path = self._library.path(digest)
        with self._guard:
            self._uses += 1
            seat = self._seats.get(digest)
            mine = seat is None
            if seat is None:
                seat = self._take_seat(digest, _size_of(path))
            seat.last_use = self._uses
        if mine:
            self._fill(seat, path, digest)
        return seat.model.result()

    def clear(self) -> None:
        """Let go of every model."""
        with self._guard:
            self._seats.clear()

    def file(self, digest: Digest) -> bytes:
        """Return the content of a bank file, held to its digest."""
        return self._twice(digest, self._file)

    def _file(self, digest: Digest) -> bytes:
        path = self._library.path(digest)
        with self._telling(path):
            return read_held(path, digest)

    def _twice(self, digest: Digest, read: Callable[[Digest], _Read]) -> _Read:
        """Read again what was torn: the library may bring the file anew once it has heard of it."""
        try:
            return read(digest)
        except BankFileChanged:
            return read(digest)

    @contextmanager
    def _telling(self, path: Path) -> Iterator[None]:
        try:
            yield
        except BankFileChanged:
            self._library.changed(path)
            raise

    def _take_seat(self, digest: Digest, size_bytes: int) -> _Seat:
        residents = [
            Resident(one, seat.size_bytes, seat.last_use, loading=not seat.model.done())
            for one, seat in self._seats.items()
        ]
        for gone in evictions(residents, size_bytes, self._budget_bytes):
            del self._seats[gone]
        seat = self._seats[digest] = _Seat(size_bytes, self._uses, Future())
        return seat

    def _fill(self, seat: _Seat, path: Path, digest: Digest) -> None:
        try:
            with self._telling(path):
                model = self._load(path, digest)
        except BaseException as error:
            # The seat goes first: whoever asks after the failure tries again, e.g. when the file has been mended.
            with self._guard:
                if self._seats.get(digest) is seat:
                    del self._seats[digest]
            seat.model.set_exception(error)
        else:
            seat.model.set_result(model)


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise BadVoicebank(f"cannot be read: {error.strerror}", where=str(path)) from error
