"""A farm over four machines, as far as their networks go: each in a namespace of its own, with its own address.

Needs the right to make network namespaces; where it is missing the test says so.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.farm.proof_songs import STAGED, ProofSong
from tests.farm.proof_steps import ROOT, offer
from tests.farm.real_farm import below, send
from tests.farm.waiting import until

from quincunx_orchestrator.farm.private import key_file
from quincunx_orchestrator.farm.processes import coordinator_command, environment_of, worker_command
from quincunx_orchestrator.farm.redis_program import find_program
from quincunx_shared.farm.settings import FarmSettings

#: In namespaces that are joined to nothing else.
ADDRESSES = {"hub": "10.77.0.1", "control": "10.77.0.2", "near": "10.77.0.3", "far": "10.77.0.4"}


#: Of a store that lives as long as a test.
KEY = os.urandom(12).hex()


def ip(*words: str) -> int:
    """Run `ip`."""
    return subprocess.run(["ip", *words], capture_output=True, check=False).returncode


def may_make_networks() -> bool:
    """Whether this process may."""
    if shutil.which("ip") is None or ip("netns", "add", f"qx-try-{os.getpid()}") != 0:
        return False
    return ip("netns", "delete", f"qx-try-{os.getpid()}") == 0


@dataclass
class Machines:
    """Namespaces on one bridge, which lies in that of the hub; the names are those of `ADDRESSES`."""

    prefix: str
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __enter__(self) -> Machines:
        hub = self.space("hub")
        for name in ADDRESSES:
            assert ip("netns", "add", self.space(name)) == 0
            ip("-n", self.space(name), "link", "set", "lo", "up")
        assert ip("-n", hub, "link", "add", "bridge", "type", "bridge") == 0
        ip("-n", hub, "address", "add", f"{ADDRESSES['hub']}/24", "dev", "bridge")
        ip("-n", hub, "link", "set", "bridge", "up")
        for name, address in ADDRESSES.items():
            if name != "hub":
                self._join(name, address)
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes:
            for pid in (*below(process.pid), process.pid):
                send(pid, signal.SIGKILL)
            process.wait()
        for name in ADDRESSES:
            ip("netns", "delete", self.space(name))

    def _join(self, name: str, address: str) -> None:
        hub, space = self.space("hub"), self.space(name)
        assert ip("-n", hub, "link", "add", f"to-{name}", "type", "veth", "peer", "name", "eth", "netns", space) == 0
        ip("-n", hub, "link", "set", f"to-{name}", "master", "bridge", "up")
        ip("-n", space, "address", "add", f"{address}/24", "dev", "eth")
        ip("-n", space, "link", "set", "eth", "up")

    def space(self, name: str) -> str:
        """The namespace of a machine."""
        return f"{self.prefix}-{name}"

    def start(self, name: str, command: Sequence[str], log: Path, **environment: str) -> None:
        """Start a process on a machine."""
        with log.open("ab") as file:
            whole = ["ip", "netns", "exec", self.space(name), *command]
            given = {**os.environ, **environment}
            process = subprocess.Popen(whole, cwd=ROOT, env=given, stdout=file, stderr=file, start_new_session=True)
        self.processes.append(process)

    def cut(self, name: str) -> None:
        """Pull the cable of a machine."""
        assert ip("-n", self.space(name), "link", "set", "eth", "down") == 0


@contextlib.contextmanager
def far_farm(folder: Path) -> Iterator[tuple[Machines, FarmSettings, dict[str, str]]]:
    """Broker and store on one machine, a coordinator on the next, a worker on each of the others."""
    with Machines(f"qx{os.getpid()}") as machines:
        hub = ADDRESSES["hub"]
        redis = [str(find_program()), "--bind", hub, "--port", "6379", "--protected-mode", "no", "--appendonly", "yes"]
        (folder / "redis").mkdir()
        machines.start("hub", [*redis, "--dir", str(folder / "redis"), "--save", ""], folder / "redis.log")
        told = folder / "s3.log"
        program = str(Path(__file__).with_name("swift_server.py"))
        (folder / "s3").mkdir()
        machines.start("hub", [sys.executable, "-W", "ignore", program, str(folder / "s3"), "0"], told, SECRET=KEY)
        port = until(lambda: told.read_text().partition("ready on ")[2].split("\n")[0].rpartition(":")[2].strip(), 60)
        forward = [sys.executable, "-m", "tests.farm.forward", f"{hub}:9000", port.split()[-1]]
        machines.start("hub", forward, folder / "forward.log")
        for name, secret in (("access", "farm:worker"), ("secret", KEY)):
            (folder / name).write_text(secret)
            (folder / name).chmod(0o600)
        settings = FarmSettings(
            redis_url=f"redis://{hub}:6379/0",
            store=f"s3://{hub}:9000/songs",
            store_access_key_file=folder / "access",
            store_secret_key_file=folder / "secret",
            envelope_key_file=key_file(folder),
            lease_seconds=2.0,
        )
        make = f"from tests.farm.s3_server import S3Server as S; S('{hub}:9000', 'farm:worker', '{KEY}', 0)"
        again = f"{make}.bucket('songs').make()"
        until(lambda: _run(machines, "control", [sys.executable, "-c", again], {}).returncode == 0, 60)
        yield machines, settings, {"PYTHONPATH": offer(folder / "steps")}


def _run(
    machines: Machines, name: str, command: Sequence[str], environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    whole = ["ip", "netns", "exec", machines.space(name), *command]
    return subprocess.run(
        whole, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False, timeout=180
    )


@pytest.mark.skipif(not may_make_networks(), reason="this process may not make network namespaces")
@pytest.mark.parametrize("cut", [False, True], ids=["whole", "one worker cut off in the middle"])
def test_a_song_is_made_over_four_machines(tmp_path: Path, cut: bool) -> None:
    trace = tmp_path / "trace"
    with far_farm(tmp_path) as (machines, settings, path):
        for name, command in (
            ("control", coordinator_command()),
            ("near", (*worker_command((), "cpu", 1), "--name", "near")),
            ("near", (*worker_command((), "gpu", 2), "--name", "near-gpu")),
            ("far", (*worker_command((), "cpu", 1), "--name", "far")),
        ):
            own = settings.model_copy(update={"cache_dir": tmp_path / "cache" / name})
            machines.start(name, command, tmp_path / f"{name}.log", **environment_of(own, {}), **path)
        own = settings.model_copy(update={"cache_dir": tmp_path / "cache" / "client"})
        client = [sys.executable, "-m", "tests.farm.far_client", "16", "0.05", str(trace)]
        with (tmp_path / "client.txt").open("wb") as told:
            running = subprocess.Popen(
                ["ip", "netns", "exec", machines.space("control"), *client],
                cwd=ROOT,
                env={**os.environ, **environment_of(own, {}), **path},
                stdout=told,
            )
        machines.processes.append(running)
        if cut:
            until(lambda: trace.exists() and len(trace.read_text().splitlines()) > 8, 60)
            machines.cut("far")
        assert running.wait(120) == 0, (tmp_path / "control.log").read_text()[-2000:]
        heard = json.loads((tmp_path / "client.txt").read_text())
    sound = ProofSong(16, seconds=0.0, colours=STAGED).reference().sound
    # What the worker had stored and could no longer tell is recalled.
    assert heard.pop("ran") in (range(58, 66) if cut else [65])
    assert heard == {"state": "succeeded", "again": 0, "sound": hashlib.sha256(sound.tobytes()).hexdigest()}
