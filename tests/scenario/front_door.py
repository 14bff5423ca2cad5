"""The command line in a process of its own: its exit code, its words, how long it took and how much memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

#: Ends a command that waits for something that never comes.
STUCK_SECONDS = 60

#: Runs the command as its entry point does, and leaves on the last line of stderr what it used. The peak is the
#: process's own: what a parent reads of a child it forked includes the parent.
_MEASURED = """
import json, resource, sys, time
from quincunx_orchestrator.cli.main import main
try:
    main()
finally:
    used = resource.getrusage(resource.RUSAGE_SELF)
    try:
        peak = int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0]) * 1024
    except OSError:
        peak = used.ru_maxrss
    sys.stderr.flush()
    print('\\n' + json.dumps([used.ru_utime + used.ru_stime, peak]), file=sys.stderr)
"""


@dataclass(frozen=True)
class Told:
    """What a command said and used."""

    code: int
    out: str
    err: str
    cpu_seconds: float
    wall_seconds: float
    peak_bytes: int


def quincunx(home: Path, *arguments: str | Path, **environment: str) -> Told:
    """Run a command in a folder that is its whole world: working directory, cache, data."""
    own = {"QUINCUNX_CACHE_DIR": "cache", "XDG_DATA_HOME": "data", "XDG_CACHE_HOME": "own-cache"}
    world = {**os.environ, **{name: str(home / folder) for name, folder in own.items()}, **environment}
    begun = time.monotonic()
    ran = subprocess.run(
        [sys.executable, "-c", _MEASURED, *map(str, arguments)],
        cwd=home,
        env=world,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=STUCK_SECONDS,
        check=False,
    )
    seconds = time.monotonic() - begun
    err, _, used = ran.stderr.decode(errors="replace").rstrip("\n").rpartition("\n")
    cpu_seconds, peak_bytes = json.loads(used)
    return Told(ran.returncode, ran.stdout.decode(errors="replace"), err.rstrip("\n"), cpu_seconds, seconds, peak_bytes)


def tree_of(root: Path) -> dict[str, int]:
    """Every file, folder and link below a folder, with the size of its files: what must be the same after a refusal.

    The size of a database's scratch files says nothing.
    """
    return {
        path.relative_to(root).as_posix(): path.lstat().st_size if path.is_file() else -1
        for path in root.rglob("*")
        if not path.name.endswith(("-wal", "-shm"))
    }
