"""The name of a worker that was given none: by machine and device, and the same after every restart."""

from __future__ import annotations

import fcntl
import itertools
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path


@contextmanager
def own_name(device: str, folder: Path) -> Iterator[str]:
    """Take the first name of this machine's workers that is free: `host-cpu`, `host-cpu-2`, and keep it meanwhile.

    A person drains a worker by its name, so it must not change when the worker is started again. A name is a lock on a
    file in the folder, which the system takes back from whoever dies; forks do not hold it.
    """
    wish = f"{socket.gethostname()}-{device}"
    with ExitStack() as held:
        yield _first_free(wish, folder, held)


def _first_free(wish: str, folder: Path, held: ExitStack) -> str:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number in itertools.count(1):
            name = wish if number == 1 else f"{wish}-{number}"
            file = held.enter_context((folder / name).open("ab"))
            if _locked(file.fileno()):
                return name
    except OSError:
        pass
    # Where no file can be made or locked the process tells them apart.
    return f"{wish}-{os.getpid()}"


def _locked(file: int) -> bool:
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
