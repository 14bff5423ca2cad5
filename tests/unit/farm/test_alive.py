"""A supervisor sees whether a process still turns."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from quincunx_shared.farm.alive import STOPPED_SECONDS, VARIABLE, AliveFile, silence


def look(path: Path) -> int:
    command = [sys.executable, "-m", "quincunx_shared.farm.alive"]
    environ = {**os.environ, VARIABLE: str(path)}
    return subprocess.run(command, env=environ, capture_output=True, check=False).returncode


def test_a_process_that_touches_its_file_is_alive(tmp_path: Path) -> None:
    AliveFile(tmp_path / "alive").touch()
    assert look(tmp_path / "alive") == 0


def test_one_that_stopped_is_not(tmp_path: Path) -> None:
    alive = tmp_path / "alive"
    AliveFile(alive).touch()
    long_ago = time.time() - STOPPED_SECONDS - 1
    os.utime(alive, (long_ago, long_ago))
    assert look(alive) == 1


def test_nor_is_one_that_never_began(tmp_path: Path) -> None:
    assert silence(tmp_path / "alive", 0.0) == float("inf")
    assert look(tmp_path / "alive") == 1


def test_a_full_disk_ends_nothing(tmp_path: Path) -> None:
    AliveFile(tmp_path / "absent" / "alive").touch()
    AliveFile(None).touch()
