"""The private farm of a user on one machine (`quincunx dev`): where its state lies, and how others find it.

<state>/quincunx/dev/     running   locked by the process that runs the farm, for as long as it lives
                          farm.toml its settings, as any other file of settings
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def state_folder() -> Path:
    """Where the private farm keeps what it has."""
    named = os.environ.get("QUINCUNX_DEV_DIR")
    if named:
        return Path(named).absolute()
    from platformdirs import user_state_path

    return user_state_path("quincunx", appauthor=False) / "dev"


def settings_file(folder: Path | None = None) -> Path | None:
    """The settings of the private farm; None while none runs."""
    root = folder or state_folder()
    path = root / "farm.toml"
    return path if path.is_file() and is_running(root) else None


def is_running(folder: Path) -> bool:
    """Whether a process holds the farm in this folder. A killed one does not: the system drops its lock."""
    if sys.platform == "win32":
        return False
    import fcntl

    try:
        with (folder / "running").open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
