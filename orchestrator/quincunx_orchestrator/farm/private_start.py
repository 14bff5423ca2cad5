"""Starting and ending the private farm of a user: its server, its coordinator, its workers."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from quincunx_orchestrator.farm.private import (
    KILLED,
    held,
    key_file,
    password_file,
    running_pid,
    settings_file,
    user_file,
    write_settings,
)
from quincunx_orchestrator.farm.processes import coordinator_command, environment_of, worker_command
from quincunx_orchestrator.farm.redis_program import NoRedisServer
from quincunx_orchestrator.farm.redis_server import RedisServer, ServerOptions, end_leftover, start
from quincunx_orchestrator.farm.supervisor import Part, Supervisor
from quincunx_shared.errors import FarmError
from quincunx_shared.farm.nodes import RedisNodes
from quincunx_shared.farm.queues import queues_of
from quincunx_shared.farm.settings import FarmSettings

#: Workers import their libraries and load nothing else; a busy machine takes a while.
READY_SECONDS = 60.0

#: What a person waits for after Ctrl-C; bundles that take longer are interrupted, and done again another time.
END_SECONDS = 20.0

LOOK_SECONDS = 0.05

#: A server that does not start is tried again after so long.
REVIVE_SECONDS = 5.0


@contextlib.contextmanager
def private_farm(
    folder: Path, workers: int, tell: Callable[[str], None], ended: threading.Event
) -> Iterator[Supervisor]:
    """Run a farm in a folder; it is ready inside, unless `ended` was set meanwhile. Ends all that it started."""
    from quincunx_orchestrator.embedded import this_machine

    with held(folder), contextlib.ExitStack() as stack:
        _wait_for_leftovers(folder)
        if (folder / "redis").is_dir():
            end_leftover(folder / "redis")
        server = start(folder / "redis", ServerOptions(acl_file=user_file(folder)))
        stack.callback(server.stop)
        told = {
            "redis_url": server.url,
            "redis_password_file": str(password_file(folder)),
            "store": (folder / "blobs").as_uri(),
            "envelope_key_file": str(key_file(folder)),
            "cache_dir": str(folder / "cache"),
        }
        settings = FarmSettings.model_validate(told)
        (folder / "blobs").mkdir(exist_ok=True)
        supervisor = Supervisor(folder, tell, beside=_Revived(server, tell).look)
        stack.callback(supervisor.stop, END_SECONDS)
        nodes = stack.enter_context(_nodes_of(settings))
        supervisor.start(parts_of(settings, workers, gpu=this_machine().provider == "cuda"))
        if _is_ready(nodes, supervisor, ended):
            write_settings(folder, told)
            _tell_drained(nodes, tell)
        yield supervisor


@dataclass
class _Revived:
    """Starts the farm's server again when it dies: everybody else waits for it. What it kept, it finds again."""

    server: RedisServer
    tell: Callable[[str], None]
    due: float = 0.0

    def look(self) -> None:
        """Look after it once."""
        if self.server.running or time.monotonic() < self.due:
            return
        self.tell("Redis has ended; it starts again")
        try:
            self.server.launch()
        except NoRedisServer as error:
            self.tell(f"{error}; it is tried again in {REVIVE_SECONDS:.0f} s")
            self.due = time.monotonic() + REVIVE_SECONDS


def _wait_for_leftovers(folder: Path) -> None:
    """Let the processes of a farm that was killed end while their server lives: without it they would wait for it."""
    from quincunx_shared.farm.redis_client import connect, plain_errors
    from quincunx_shared.farm.settings_layers import load_settings

    file = folder / KILLED
    if not file.is_file():
        return
    settings = load_settings({}, {}, directory=folder, fallback=file).settings
    deadline = time.monotonic() + END_SECONDS
    with contextlib.suppress(FarmError), plain_errors(), contextlib.closing(connect(settings)) as client:
        nodes = RedisNodes(client, settings.namespace)
        while any(one.state != "silent" for one in nodes.seen()) and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)
    file.unlink()


@contextlib.contextmanager
def _nodes_of(settings: FarmSettings) -> Iterator[RedisNodes]:
    """The list of nodes, in which nothing is left of an earlier run."""
    from quincunx_shared.farm.redis_client import connect

    with contextlib.closing(connect(settings)) as client:
        nodes = RedisNodes(client, settings.namespace)
        for one in nodes.seen():
            nodes.leave(one.node.name)
        yield nodes


def parts_of(settings: FarmSettings, workers: int, *, gpu: bool) -> list[Part]:
    """A coordinator and workers. Without a GPU, the processes of the cpu do its work, too: one a core, all abreast."""
    environment = environment_of(settings, os.environ)
    devices = (("cpu",), ("gpu",)) if gpu else (("cpu", "gpu"),)
    found = [Part("coordinator", coordinator_command(), environment)]
    for served in devices:
        name, slots = f"worker-{served[0]}", workers if served[0] == "cpu" else None
        command = worker_command(queues_of(served), served[0], slots, name)
        found.append(Part(name, command, environment))
    return found


def _is_ready(nodes: RedisNodes, supervisor: Supervisor, ended: threading.Event) -> bool:
    """Wait until all parts tell of themselves, those too that somebody drained in an earlier run.

    Raises `FarmError` with the last words of one that died.
    """
    deadline = time.monotonic() + READY_SECONDS
    while not ended.wait(LOOK_SECONDS):
        met = [one.node for one in nodes.seen() if one.state != "silent"]
        there = {one.name if one.role == "worker" else one.role for one in met}
        late = [name for name in supervisor.pids() if name not in there]
        if not late:
            return True
        if dead := supervisor.dead():
            raise _failure(supervisor, dead[0], "ended at once")
        if time.monotonic() > deadline:
            raise _failure(supervisor, late[0], f"was not ready within {READY_SECONDS:.0f} s")
    return False


def _tell_drained(nodes: RedisNodes, tell: Callable[[str], None]) -> None:
    for one in nodes.seen():
        if one.drain is not None:
            tell(f"{one.node.name} takes no work: {one.drain.reason}; `quincunx node undrain {one.node.name}`")


def _failure(supervisor: Supervisor, name: str, what: str) -> FarmError:
    log = supervisor.log_of(name)
    last = log.read_text(errors="replace").strip().splitlines()[-1:] if log.is_file() else []
    return FarmError(f"{name} {what}{f': {last[0][:300]}' if last else ''}", where=str(log), remedy="quincunx doctor")


def start_detached(folder: Path, workers: int) -> None:
    """Start the private farm as a process of its own, and wait until it is ready.

    One that runs already is taken, and so is one that somebody else is just starting.
    """
    process: subprocess.Popen[bytes] | None = None
    log = _log(folder)
    told_before = log.stat().st_size if log.is_file() else 0
    deadline = time.monotonic() + READY_SECONDS + END_SECONDS
    while settings_file(folder) is None:
        over = process is not None and process.poll() is not None
        if (over and running_pid(folder) is None) or time.monotonic() > deadline:
            # One that runs at somebody's terminal writes none.
            last = log.read_bytes()[told_before:].decode(errors="replace").strip() if log.is_file() else ""
            raise FarmError(f"the private farm did not start: {last[-600:]}", where=str(log))
        if process is None and running_pid(folder) is None:
            process = _detached(folder, workers)
        time.sleep(LOOK_SECONDS)


def _log(folder: Path) -> Path:
    """What a farm that was started in the background says."""
    return folder / "dev.log"


def _detached(folder: Path, workers: int) -> subprocess.Popen[bytes]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Somebody else may be starting one at the same time.
    with _log(folder).open("ab") as output:
        return subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, "-P", "-m", "quincunx_orchestrator.cli", "dev", "--workers", str(workers)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=folder,
            env={**os.environ, "QUINCUNX_DEV_DIR": str(folder)},
            start_new_session=True,
        )


def stop_running(folder: Path) -> bool:
    """End the private farm, and wait for its end. False if none runs."""
    pid = running_pid(folder)
    if pid is None:
        return False
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + END_SECONDS + READY_SECONDS
    while running_pid(folder) == pid:
        if time.monotonic() > deadline:
            raise FarmError(f"process {pid} does not end", where=str(folder), remedy=f"kill -9 {pid}")
        time.sleep(LOOK_SECONDS)
    return True
