"""Whose the results in a cache are: which song used which signatures last, sung by whom; what is pinned, what left.

It lies beside the index in a file of its own, because the index works without it: losing it costs explanations and
pins, never a result.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from quincunx_shared.names import Signature
from quincunx_shared.stores.database import SqliteDatabase

SCHEMA = 2

TABLES = """
CREATE TABLE IF NOT EXISTS owner (
    song TEXT, voice TEXT, step TEXT, path TEXT NOT NULL, at REAL NOT NULL, signatures BLOB NOT NULL,
    PRIMARY KEY (song, voice, step)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pin (song TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS gone (signature BLOB PRIMARY KEY, at REAL NOT NULL, why TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS size (one INTEGER PRIMARY KEY CHECK (one = 1), bytes INTEGER, measured_at REAL);
"""

#: An owner is not written anew for being used again within this time.
COARSE_SECONDS = 600.0

#: Of so many results is remembered why they left; it explains a miss, and months later nobody asks.
_REMEMBERED = 200_000

_DIGEST_BYTES = 32


#: A voice and a step.
Part = tuple[str, str]


def pin_of_voice(voice: str) -> str:
    """Return what stands for a voice where songs are pinned: no song is named so."""
    return f"voice:{_storable(voice)}"


@dataclass(frozen=True, slots=True)
class Owned:
    """What one step makes of one voice in one song; the mix and the file of the song have the voice ''."""

    song: str
    path: str
    voice: str
    step: str
    at: float
    signatures: frozenset[bytes]

    def is_pinned(self, pins: frozenset[str]) -> bool:
        """Whether its song or its voice is."""
        return self.song in pins or bool(self.voice and pin_of_voice(self.voice) in pins)


class SqliteOwners:
    """Songs and their signatures, pins, and the reasons why results left."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    def remember(
        self, song: str, path: str, used: Mapping[Part, Iterable[Signature]], now: float, *, as_well: bool = False
    ) -> None:
        """Note what a song uses now, in the place of what it used before, or as well."""
        path = _storable(path)
        names = {
            (_storable(voice), _storable(step)): {bytes.fromhex(one) for one in signatures}
            for (voice, step), signatures in used.items()
        }

        def replace(connection: sqlite3.Connection) -> None:
            select = "SELECT voice, step, signatures, at FROM owner WHERE song = ?"
            known = connection.execute(select, (song,)).fetchall()
            former = {(_text(voice), _text(step)): packed for voice, step, packed, _ in known}
            wanted = _joined(names, former) if as_well else names
            rows = {part: b"".join(sorted(mine)) for part, mine in wanted.items()}
            fresh = all(isinstance(at, float) and now - COARSE_SECONDS < at <= now for *_, at in known)
            if fresh and former == rows:
                return
            connection.execute("DELETE FROM owner WHERE song = ?", (song,))
            connection.executemany(
                "INSERT OR REPLACE INTO owner VALUES (?, ?, ?, ?, ?, ?)",
                [(song, voice, step, path, now, packed) for (voice, step), packed in rows.items()],
            )

        self._database.run(replace)

    def owned(self) -> tuple[Owned, ...]:
        """Everything that has an owner."""
        select = "SELECT song, path, voice, step, at, signatures FROM owner"
        rows = self._database.run(lambda connection: connection.execute(select).fetchall())
        return tuple(
            Owned(_text(song), _text(path), _text(voice), _text(step), at, frozenset(_unpacked(packed)))
            for song, path, voice, step, at, packed in rows
            if isinstance(at, float) and isinstance(packed, bytes)
        )

    def disown(self, songs: Iterable[str]) -> None:
        """Forget what these songs used."""
        keys = [(song,) for song in songs]
        self._database.run(lambda connection: connection.executemany("DELETE FROM owner WHERE song = ?", keys))

    def pin(self, song: str, *, pinned: bool) -> None:
        """Keep what a song uses whatever its age, or no longer; with a `pin_of_voice`, what a voice sings."""
        order = "INSERT OR IGNORE INTO pin VALUES (?)" if pinned else "DELETE FROM pin WHERE song = ?"
        self._database.run(lambda connection: connection.execute(order, (song,)))

    def pins(self) -> frozenset[str]:
        """The songs and voices that are pinned."""
        rows = self._database.run(lambda connection: connection.execute("SELECT song FROM pin").fetchall())
        return frozenset(_text(song) for (song,) in rows)

    def note_gone(self, signatures: Iterable[bytes], why: str, now: float) -> None:
        """Remember why results are no longer there."""
        rows = [(signature, now, why) for signature in signatures]

        def write(connection: sqlite3.Connection) -> None:
            connection.executemany("INSERT OR REPLACE INTO gone VALUES (?, ?, ?)", rows)
            connection.execute(
                "DELETE FROM gone WHERE signature NOT IN (SELECT signature FROM gone ORDER BY at DESC LIMIT ?)",
                (_REMEMBERED,),
            )

        if rows:
            self._database.run(write)

    def gone(self, signatures: Iterable[Signature]) -> Mapping[Signature, tuple[float, str]]:
        """Return when and why results left, of those that did."""
        wanted = list(signatures)

        def select(connection: sqlite3.Connection) -> list[tuple[Signature, tuple[float, str]]]:
            if connection.execute("SELECT 1 FROM gone LIMIT 1").fetchone() is None:
                return []
            found = []
            for name in wanted:
                key = (bytes.fromhex(name),)
                row = connection.execute("SELECT at, why FROM gone WHERE signature = ?", key).fetchone()
                if row is not None:
                    found.append((name, (float(row[0]), _text(row[1]))))
            return found

        return dict(self._database.run(select))

    def grow(self, written_bytes: int) -> tuple[int, float]:
        """Add to the size the cache is believed to have; return it, and when it was last measured (0: never)."""

        def add(connection: sqlite3.Connection) -> tuple[int, float]:
            connection.execute("INSERT OR IGNORE INTO size VALUES (1, 0, 0.0)")
            if written_bytes:
                connection.execute("UPDATE size SET bytes = bytes + ?", (written_bytes,))
            size, at = connection.execute("SELECT bytes, measured_at FROM size").fetchone()
            return int(size), float(at)

        return self._database.run(add)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def measured(self, size_bytes: int, now: float) -> None:
        """Note the true size."""
        self._database.run(
            lambda connection: connection.execute("INSERT OR REPLACE INTO size VALUES (1, ?, ?)", (size_bytes, now))
        )


def _joined(names: Mapping[Part, set[bytes]], former: Mapping[Part, object]) -> dict[Part, set[bytes]]:
    before = {part: set(_unpacked(packed)) for part, packed in former.items() if isinstance(packed, bytes)}
    return {part: names.get(part, set()) | before.get(part, set()) for part in {**before, **names}}


def _unpacked(packed: bytes) -> Sequence[bytes]:
    return [packed[at : at + _DIGEST_BYTES] for at in range(0, len(packed), _DIGEST_BYTES)]


def _storable(name: str) -> str:
    """Names of files may be bytes that are no text; a database takes text alone."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def _text(value: object) -> str:
    """The database gives text as bytes; what was spoilt on the disk is still some text."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
