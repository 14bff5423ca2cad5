"""Whether a process of the farm still turns: it touches a file, and whoever supervises it looks how long ago.

    python -m quincunx_shared.farm.alive        exit 0 while it turns, 1 once it has stopped

A process that waits for a Redis that is gone is alive: it goes on by itself, and a restart would only forget what it
holds. So the file is touched by the loop itself, whatever the loop has met.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

#: Where the file is; the setting `alive_file`, which containers give in their environment.
VARIABLE = "QUINCUNX_FARM_ALIVE_FILE"

#: A loop turns every few seconds. Longer than a slow machine loads its models, shorter than a person waits.
STOPPED_SECONDS = 60.0


class AliveFile:
    """The file of this process; none if it has no name."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def touch(self) -> None:
        """Say that this process still turns. Never raises: a full disk ends no render."""
        if self._path is None:
            return
        try:
            self._path.touch()
        except OSError:
            return


def silence(path: Path, now: float) -> float:
    """For how many seconds a process has not touched its file; without end if it never has."""
    try:
        return now - path.stat().st_mtime
    except OSError:
        return float("inf")


def main() -> None:
    """Look once."""
    name = os.environ.get(VARIABLE, "")
    if not name:
        print(f"{VARIABLE} is not set: nothing to look at", file=sys.stderr)  # noqa: T201 - a command's only answer
        sys.exit(1)
    seconds = silence(Path(name), time.time())
    if seconds > STOPPED_SECONDS:
        print(f"{name} was not touched for {seconds:.0f} s", file=sys.stderr)  # noqa: T201
        sys.exit(1)


if __name__ == "__main__":
    main()
