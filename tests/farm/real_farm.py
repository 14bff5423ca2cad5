"""A whole farm of real processes for a test: Redis, a store, coordinators and workers, that can be killed and frozen.

    with real_farm(folder) as farm:
        farm.coordinator(), farm.worker("one"), farm.worker("two")
        farm.ready()
        with farm.client() as near:
            near.render(song)

Everything lies in the folder, logs and traces, too; whatever is still alive at the end is killed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.farm.proof_songs import TARGET, ProofSong
from tests.farm.proof_steps import offer
from tests.farm.waiting import until

from quincunx_orchestrator.farm.opening import OpenFarm, open_farm
from quincunx_orchestrator.farm.private import key_file, password_file, user_file
from quincunx_orchestrator.farm.processes import coordinator_command, environment_of, worker_command
from quincunx_orchestrator.farm.redis_server import RedisServer, ServerOptions, start
from quincunx_orchestrator.farm.remote import OnFarm
from quincunx_orchestrator.farm.submission import Submission
from quincunx_orchestrator.render_result import RenderResult
from quincunx_shared.farm.settings import FarmSettings
from quincunx_shared.names import RenderId
from quincunx_shared.stores.memory import MemoryEventLog

#: Long enough for a machine that is busy with other things.
READY_SECONDS = 60.0


@dataclass
class NearClient:
    """A client that stays open, and what its last render was called."""

    farm: OpenFarm
    log: MemoryEventLog = field(default_factory=MemoryEventLog)
    renders: list[RenderId] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._on_farm = OnFarm(self.farm.client(), self.log, {}, Submission())

    def render(self, song: ProofSong, **how: Any) -> RenderResult:
        """Render on the farm, and fetch the song."""
        self._on_farm.how = Submission(**{"song_key": f"proof-{song.salt}", **how})
        result = self._on_farm.render(song.bound(), [TARGET])
        self.renders.append(result.id)
        return result

    def submit(self, song: ProofSong, **how: Any) -> RenderId:
        """Submit, and do not wait."""
        submission = Submission(**{"song_key": f"proof-{song.salt}", **how})
        self.renders.append(self._on_farm.client.submit(song.bound(), [TARGET], how=submission).render)
        return self.renders[-1]

    def collect(self, song: ProofSong, render: RenderId) -> RenderResult:
        """Wait until a job is over, and fetch the song, which is known then."""
        self._on_farm.client.wait(render)
        return self._on_farm.render(song.bound(), [TARGET])


@dataclass
class RealFarm:
    """The processes by their names. `trace` is where steps write that they were executed."""

    folder: Path
    settings: FarmSettings
    server: RedisServer
    path: str
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    #: How each was started, so that it can be started again.
    started: dict[str, tuple[Sequence[str], Mapping[str, str]]] = field(default_factory=dict)
    traces: int = 0

    @property
    def trace(self) -> Path:
        """The file of the current song: see `new_trace`."""
        return self.folder / f"trace-{self.traces}"

    def new_trace(self) -> Path:
        """Begin a new file."""
        self.traces += 1
        return self.trace

    def worker(self, name: str, device: str = "cpu", slots: int = 1, **variables: str) -> None:
        """Start a worker."""
        self.start(name, (*worker_command((), device, slots), "--name", name), **variables)

    def coordinator(self, name: str = "coordinator", **variables: str) -> None:
        """Start a coordinator."""
        self.start(name, coordinator_command(), **variables)

    def start(self, name: str, command: Sequence[str], **variables: str) -> None:
        """Start a process of the farm; its words go to `<folder>/logs/<name>.log`."""
        environment = environment_of(self.settings, os.environ) | {"PYTHONPATH": self.path} | variables
        self.started[name] = (command, environment)
        (self.folder / "logs").mkdir(exist_ok=True)
        with (self.folder / "logs" / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command, env=environment, cwd=self.folder, stdout=log, stderr=log, start_new_session=True
            )

    def again(self, name: str) -> None:
        """Start a process that ended, as it was started before."""
        command, environment = self.started[name]
        self.kill(name)
        with (self.folder / "logs" / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command, env=environment, cwd=self.folder, stdout=log, stderr=log, start_new_session=True
            )

    def whole(self) -> None:
        """Start again what has ended, and wait until all are there."""
        for name, process in self.processes.items():
            if process.poll() is not None:
                self.again(name)
        self.ready()

    def ready(self, *names: str) -> None:
        """Wait until these, or all, tell of themselves."""
        wanted = {self.processes[name] for name in names or self.processes}
        with open_farm(self.settings, name="test") as farm:

            def there() -> bool:
                assert all(one.poll() is None for one in wanted), "one of them ended"
                parents = {seen.node.pid for seen in farm.nodes.seen() if seen.state == "up"}
                # A worker tells of the process below its supervisor.
                return all(parents & {one.pid, *below(one.pid)} for one in wanted)

            until(there, READY_SECONDS)

    def pids(self, name: str) -> list[int]:
        """All processes of a part of the farm: itself first, then what it started."""
        process = self.processes[name]
        return [process.pid, *below(process.pid)] if process.poll() is None else []

    def kill(self, name: str) -> None:
        """Kill a part of the farm with all that it started."""
        for pid in self.pids(name):
            send(pid, signal.SIGKILL)
        self.processes[name].wait()

    def freeze(self, name: str) -> None:
        """Let all of it stand still."""
        for pid in self.pids(name):
            send(pid, signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        """Let it go on."""
        for pid in self.pids(name):
            send(pid, signal.SIGCONT)

    def end(self, seconds: float = 40.0) -> None:
        """End all processes as a system ends them, coordinators first, and wait."""
        alive = [one for one in self.processes.values() if one.poll() is None]
        for process in alive:
            process.terminate()
        for process in alive:
            process.wait(seconds)

    @contextlib.contextmanager
    def client(self) -> Iterator[NearClient]:
        """Open a client that stays open."""
        with open_farm(self.settings, name="test-client") as farm:
            yield NearClient(farm)

    def begun(self) -> list[tuple[str, float]]:
        """Which step began when, in order."""
        lines = self.trace.read_text().splitlines() if self.trace.exists() else []
        told = (line.rpartition(" ") for line in lines)
        return [(word, float(at)) for word, _, at in told]

    def executions(self) -> Counter[str]:
        """How often each step was executed, by its word."""
        return Counter(word for word, _ in self.begun())

    def logs(self) -> str:
        """What the processes said last."""
        told = sorted((self.folder / "logs").glob("*.log"))
        return "\n".join(f"--- {path.name}\n{path.read_text(errors='replace')[-3000:]}" for path in told)


@contextlib.contextmanager
def real_farm(folder: Path, **settings: Any) -> Iterator[RealFarm]:
    """Yield a farm on a Redis of its own, without coordinators and workers yet. Its logs are told when a test fails."""
    server = start(folder / "redis", ServerOptions(acl_file=user_file(folder)))
    steps = offer(folder / "steps")
    told = {
        "redis_url": server.url,
        "redis_password_file": password_file(folder),
        "envelope_key_file": key_file(folder),
        "store": (folder / "store").as_uri(),
        "cache_dir": folder / "cache",
        "lease_seconds": 2.0,
        **settings,
    }
    farm = RealFarm(folder, FarmSettings.model_validate(told), server, steps)
    try:
        yield farm
    except BaseException:
        print(farm.logs())
        raise
    finally:
        for name in farm.processes:
            farm.kill(name)
        server.kill()


def send(pid: int, number: int) -> None:
    """Send a signal to a process that may have ended meanwhile."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def below(pid: int) -> list[int]:
    """All processes that a process has started, directly or not."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(folder.name))
    found, left = [], [pid]
    while left:
        ours = children.get(left.pop(), [])
        found += ours
        left += ours
    return found
