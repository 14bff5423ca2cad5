"""Noticing that a file was saved, however its editor saves: in place, bit by bit, or by putting a new file there."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

#: Between two looks at the file. Twice this passes before a save is acted on; a look costs a few microseconds.
LOOK_SECONDS = 0.02

#: A file that was put there may bear any date. One that is older than this when it is noticed says nothing about
#: when it was saved.
_LATEST_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells one save of a file from another without reading it."""

    modified_ns: int
    size: int
    inode: int = 0


def stamp_of(path: Path) -> Stamp | None:
    """Return the file's stamp; None while there is no file, as for a moment when an editor replaces it."""
    try:
        found = path.stat()
    except OSError:
        return None
    return Stamp(found.st_mtime_ns, found.st_size, found.st_ino)


def settled(stamps: Iterable[Stamp | None], known: Stamp | None) -> Iterator[Stamp]:
    """Yield each new stamp that was seen twice in a row: whoever is still writing is left to finish.

    `known` is the stamp of what was read already. An editor that pauses in the middle is not waited for: what it has
    written by then is tried, and once more when the rest is there.
    """
    before: Stamp | None = None
    for stamp in stamps:
        if stamp is not None and stamp == before and stamp != known:
            known = stamp
            yield stamp
        before = stamp


def saves_of(path: Path, known: Stamp | None) -> Iterator[Stamp]:
    """Yield the stamp of every save of a file from now on, without end."""
    return settled(_looks_at(path), known)


def saved_at(stamp: Stamp, now: float) -> float:
    """Return when a save happened, in seconds since the epoch: its date if that is believable, else now."""
    seconds = stamp.modified_ns / 1e9
    return seconds if now - _LATEST_SECONDS <= seconds <= now else now


def _looks_at(path: Path) -> Iterator[Stamp | None]:
    while True:
        time.sleep(LOOK_SECONDS)
        yield stamp_of(path)
