"""The supervisor of a worker: back within a moment, ended by force if it must, and nobody is left over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.farm.waiting import until

from quincunx_workers.farm.supervisor import FIRST_PAUSE, KILLED_PAUSE, LONGEST_PAUSE, WELL_SECONDS, next_pause

#: A worker that says who it is, and then does what it is told.
_SCRIPT = """
import os, pathlib, signal, sys, time
from quincunx_workers.farm.supervisor import Supervisor

def work():
    with open(sys.argv[1], "a") as told:
        print(os.getpid(), file=told, flush=True)
    {then}

sys.exit(Supervisor(work, lambda said: print(said, flush=True), end_seconds=0.3).run())
"""


@contextmanager
def supervised(told: Path, then: str) -> Iterator[subprocess.Popen[str]]:
    """A supervisor of such a worker; killed with it at the end."""
    command = [sys.executable, "-c", _SCRIPT.format(then=then), str(told)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            yield process
        finally:
            for pid in [process.pid, *pids(told)]:
                if alive(pid):
                    os.kill(pid, signal.SIGKILL)


def pids(told: Path) -> list[int]:
    """Every worker so far."""
    return [int(line) for line in told.read_text().split()] if told.exists() else []


def started(told: Path, times: int) -> bool:
    return len(pids(told)) == times


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_worker_that_does_not_end_is_killed(tmp_path: Path) -> None:
    stubborn = "signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    with supervised(tmp_path / "pids", stubborn) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "deaf\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert not alive(*pids(tmp_path / "pids"))
        assert "it is killed" in process.stdout.read()


def test_a_worker_that_is_killed_is_back_at_once_each_time(tmp_path: Path) -> None:
    with supervised(tmp_path / "pids", "time.sleep(600)") as process:
        for times in range(1, 5):
            until(partial(started, tmp_path / "pids", times))
            os.kill(pids(tmp_path / "pids")[-1], signal.SIGKILL)
        until(lambda: len(pids(tmp_path / "pids")) == 5, 10)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_a_worker_is_told_to_end_when_its_supervisor_is_killed(tmp_path: Path) -> None:
    with supervised(tmp_path / "pids", "time.sleep(600)") as process:
        (worker,) = until(lambda: pids(tmp_path / "pids"))
        process.kill()
        until(lambda: not alive(worker))


def test_what_is_wrong_with_the_settings_is_not_tried_again(tmp_path: Path) -> None:
    with supervised(tmp_path / "pids", "return 2") as process:
        assert process.wait(20) == 2
    assert len(pids(tmp_path / "pids")) == 1


def test_pauses_grow_while_a_worker_dies_of_itself() -> None:
    pause, pauses = FIRST_PAUSE, []
    for _ in range(8):
        pause = next_pause(pause, 1.0, 1)
        pauses.append(pause)
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE
    assert next_pause(pause, WELL_SECONDS + 1, 1) == FIRST_PAUSE
    assert next_pause(pause, 1.0, -signal.SIGKILL) == KILLED_PAUSE
