"""The command line as its entry point runs it: its exit code, its words, and what it took of time and memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Told:
    """What a command said and used; `seconds` are the processor's, so a busy machine does not matter."""

    code: int
    out: str
    err: str
    seconds: float
    peak_bytes: int


@dataclass(frozen=True)
class FrontDoor:
    """Runs commands, each in a process of its own."""

    server: subprocess.Popen[str]

    def quincunx(self, home: Path, *arguments: str | Path, humble: bool = False, **environment: str) -> Told:
        """Run a command in a folder that is its whole world: working directory, cache, data.

        A humble command has to obey the rights of files even where the tests are run as root.
        """
        own = {"QUINCUNX_CACHE_DIR": "cache", "XDG_DATA_HOME": "data", "XDG_CACHE_HOME": "own-cache"}
        world = {**{name: str(home / folder) for name, folder in own.items()}, "COLUMNS": "200", **environment}
        assert self.server.stdin is not None
        assert self.server.stdout is not None
        self.server.stdin.write(json.dumps([[*map(str, arguments)], str(home), world, humble]) + "\n")
        self.server.stdin.flush()
        code, seconds, peak_bytes = json.loads(self.server.stdout.readline())
        said = [Path(f"{home}.{name}") for name in ("out", "err")]
        out, err = (path.read_text(encoding="utf-8", errors="replace") for path in said)
        for path in said:
            path.unlink()
        return Told(code, out, err, seconds, peak_bytes)


@contextmanager
def open_front_door() -> Iterator[FrontDoor]:
    """Start the server, and end it."""
    # Threads would not survive a fork, so libraries are not to start any.
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    environment.pop("QUINCUNX_VOICES", None)
    command = [sys.executable, str(Path(__file__).with_name("front_door_server.py"))]
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield FrontDoor(server)
        finally:
            assert server.stdin is not None
            server.stdin.close()


def tree_of(root: Path) -> dict[str, int]:
    """Every file, folder and link below a folder, with the size of its files: what must be the same after a refusal.

    The size of a database says nothing: it grows by a table of what is looked up, and by scratch files.
    """
    return {
        path.relative_to(root).as_posix(): path.lstat().st_size if path.is_file() and path.suffix != ".sqlite" else -1
        for path in root.rglob("*")
        if not path.name.endswith(("-wal", "-shm"))
    }
