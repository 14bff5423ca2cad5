"""What a song format is: how its bytes become a score and, for some, how a score becomes its bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from quincunx_orchestrator.score.model import Score
from quincunx_shared.errors import BadScore

#: The largest projects are a tenth of this.
SIZE_LIMIT = 50_000_000


@dataclass(frozen=True)
class Written:
    """A song as the bytes of a file; `losses` say in sentences what the format cannot hold."""

    content: bytes
    losses: tuple[str, ...] = ()


#: Content of a file and its name, for errors → the song. Pure; raises `BadScore`.
Reader: TypeAlias = Callable[[bytes, str], Score]

#: A song → its file. Pure; what cannot be expressed is left out and said.
Writer: TypeAlias = Callable[[Score], Written]


@dataclass(frozen=True)
class ScoreFormat:
    """A format of song files, which the suffix of a name tells. Without a writer, songs are only read from it.

    `one_track` formats hold a single voice: a song with several is several files.
    """

    summary: str
    read: Reader
    write: Writer | None = None
    one_track: bool = False


def decode_text(raw: bytes, name: str) -> str:
    """Return the text of a file in UTF-8, with a byte order mark or without. Raises `BadScore`."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        what = f"this is not text in UTF-8: byte 0x{raw[error.start]:02x} cannot stand here"
        raise BadScore(what, where=f"{name}:{line}", remedy="save the file as UTF-8") from error
