"""How a worker is called that nobody gave a name."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from quincunx_workers.farm.node_name import own_name

_WORKER = """
import sys
from pathlib import Path
from quincunx_workers.farm.node_name import own_name
with own_name("cpu", Path(sys.argv[1])) as name:
    print(name, flush=True)
    sys.stdin.read()
"""

NAME = f"{socket.gethostname()}-cpu"


@contextmanager
def another(folder: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Another worker on this machine, and its name."""
    command = [sys.executable, "-c", _WORKER, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip(), process
        process.kill()


def test_a_name_stays_and_two_on_one_machine_have_two(tmp_path: Path) -> None:
    with another(tmp_path) as (first, process), another(tmp_path) as (second, _):
        assert (first, second) == (NAME, f"{NAME}-2")
        process.kill()
        process.wait()
        with another(tmp_path) as (again, _):
            assert again == first


def test_where_nothing_can_be_written_the_process_tells_them_apart(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with own_name("cpu", tmp_path / "file") as name:
        assert name == f"{NAME}-{os.getpid()}"
