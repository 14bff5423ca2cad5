"""Which song formats we read, and how a file becomes text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import TypeAlias

from quincunx_orchestrator.score.model import Score
from quincunx_orchestrator.score.ustx import read_ustx
from quincunx_shared.errors import BadScore

#: Text of a song and its file's name, for errors → the song. Pure; raises `BadScore`.
Reader: TypeAlias = Callable[[str, str], Score]

#: By suffix, in lower case. A new format is a module of its own and a row here.
READERS: Mapping[str, Reader] = {".ustx": read_ustx}

#: The largest projects are a tenth of this.
SIZE_LIMIT = 50_000_000


def read_score(name: str, raw: bytes) -> Score:
    """Return the song of a file, whose format its suffix names. Raises `BadScore`."""
    suffix = PurePath(name).suffix.lower()
    reader = READERS.get(suffix)
    if reader is None:
        what = f"{suffix!r} is no song format we read" if suffix else "the name does not say which format this is"
        raise BadScore(what, where=name, remedy=f"known: {', '.join(sorted(READERS))}")
    return reader(decode_text(raw, name), name)


def decode_text(raw: bytes, name: str) -> str:
    """Return the text of a file in UTF-8, with a byte order mark or without. Raises `BadScore`."""
    if len(raw) > SIZE_LIMIT:
        what = f"{len(raw) / 1e6:.0f} MB are too large for a song; at most {SIZE_LIMIT / 1e6:.0f} MB are read"
        raise BadScore(what, where=name)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        what = f"this is not text in UTF-8: byte 0x{raw[error.start]:02x} cannot stand here"
        raise BadScore(what, where=f"{name}:{line}", remedy="save the file as UTF-8") from error
