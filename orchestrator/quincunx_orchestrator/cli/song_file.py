"""Reading a song file off the disk, whatever lies there under its name."""

from __future__ import annotations

import stat
from pathlib import Path

from quincunx_orchestrator.score.formats import SIZE_LIMIT
from quincunx_shared.errors import BadInput, BadScore


def content_of(path: Path) -> bytes:
    """Return a song file's content; what is no file, or larger than any song, is refused unread."""
    try:
        told = path.stat()
        if stat.S_ISDIR(told.st_mode):
            raise BadInput("this is a folder, not a song", where=str(path))
        if not stat.S_ISREG(told.st_mode):
            # Reading a pipe would wait for whoever writes it, and a device may never end.
            raise BadInput("this is a pipe or a device, not a file", where=str(path))
        if told.st_size > SIZE_LIMIT:
            what = f"{told.st_size / 1e6:.0f} MB are too large for a song; at most {SIZE_LIMIT / 1e6:.0f} MB are read"
            raise BadScore(what, where=str(path))
        return path.read_bytes()
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else error
        raise BadInput(f"cannot be read: {said}", where=str(path)) from error
