"""Who is rendering on a cache right now: a file for each process, locked for as long as it lives.

The lock dies with the process, however it dies, so nobody has to clean up after a crash.
"""

from __future__ import annotations

import contextlib
import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def rendering(folder: Path) -> Iterator[None]:
    """Be known as rendering on the cache in a folder. Where files cannot be locked, nobody is known."""
    if sys.platform == "win32" or not os.access(folder, os.W_OK):
        yield
        return
    import fcntl

    leases = folder / "renders"
    leases.mkdir(exist_ok=True)
    path = leases / f"{os.getpid()}-{os.urandom(4).hex()}"
    with path.open("xb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def oldest_render(folder: Path) -> float:
    """Return since when somebody has been rendering; infinity if nobody is. Files of the dead are removed."""
    if sys.platform == "win32":
        return math.inf
    import fcntl

    began = [math.inf]
    for path in sorted((folder / "renders").glob("*")):
        with contextlib.suppress(OSError), path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                began.append(path.stat().st_mtime)
            else:
                path.unlink(missing_ok=True)
    return min(began)
