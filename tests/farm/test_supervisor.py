"""The supervisor of a private farm: what dies is started again, and nothing is left when it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.farm.waiting import until

from quincunx_orchestrator.farm.supervisor import Part, Supervisor

#: Says that it lives, starts a child of its own, and waits.
SLEEPER = """
import os, pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
pathlib.Path(sys.argv[1]).write_text(f"{os.getpid()} {child.pid}")
time.sleep(600)
"""


def sleeper(told: Path, name: str = "sleeper") -> Part:
    return Part(name, [sys.executable, "-c", SLEEPER, str(told)], os.environ)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(tmp_path: Path, clock: Clock, said: list[str]) -> Iterator[Supervisor]:
    one = Supervisor(tmp_path, said.append, clock)
    yield one
    one.stop(0.0)


def told_pids(path: Path) -> tuple[int, int]:
    text = until(lambda: path.read_text() if path.exists() else "")
    first, second = map(int, text.split())
    return first, second


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_what_dies_is_started_again_ever_more_slowly(
    supervisor: Supervisor, tmp_path: Path, clock: Clock, said: list[str]
) -> None:
    told = tmp_path / "pids"
    supervisor.start([sleeper(told)])
    for pause in (1.0, 2.0):
        pid = supervisor.pids()["sleeper"]
        os.kill(pid, signal.SIGKILL)
        until(supervisor.dead)
        supervisor.look()
        assert said[-1] == f"sleeper was killed by SIGKILL; it starts again in {pause:.0f} s"
        clock.now += pause - 0.1
        supervisor.look()
        assert supervisor.pids()["sleeper"] == pid
        clock.now += 0.2
        supervisor.look()
        assert supervisor.pids()["sleeper"] != pid


def test_stopping_leaves_nothing_behind_not_even_children(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.start([sleeper(tmp_path / "a", "a"), sleeper(tmp_path / "b", "b")])
    pids = [*told_pids(tmp_path / "a"), *told_pids(tmp_path / "b")]
    assert all(map(alive, pids))
    supervisor.stop(5.0)
    until(lambda: not any(map(alive, pids)))


def test_messages_of_a_part_are_in_its_log(supervisor: Supervisor) -> None:
    supervisor.start([Part("talker", [sys.executable, "-c", "print('hello')"], os.environ)])
    until(lambda: supervisor.log_of("talker").read_text() == "hello\n")


def test_a_killed_supervisor_takes_its_parts_along(tmp_path: Path) -> None:
    script = f"""
import os, sys, time
from pathlib import Path
from quincunx_orchestrator.farm.supervisor import Part, Supervisor
one = Supervisor(Path({str(tmp_path)!r}), print)
one.start([Part("sleeper", [sys.executable, "-c", {SLEEPER!r}, {str(tmp_path / "pids")!r}], os.environ)])
time.sleep(600)
"""
    process = subprocess.Popen([sys.executable, "-c", script])
    pid, child = told_pids(tmp_path / "pids")
    process.kill()
    process.wait()
    until(lambda: not alive(pid))
    os.kill(child, signal.SIGKILL)  # the part's own to end; ours in this test
