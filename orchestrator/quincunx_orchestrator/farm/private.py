"""The private farm of a user on one machine (`quincunx dev`): where its state lies, and how others find it.

<state>/quincunx/dev/     running     locked by the process that runs the farm, for as long as it lives
                          farm.toml   its settings, as any other file of settings; there while it is ready
                          envelope    the key that signs its messages
                          redis/      the server's own folder
                          blobs/      every result, in place of an S3 store
                          logs/       what each process says
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

from quincunx_shared.errors import FarmError

#: The settings of a farm that was killed, until its processes are gone.
KILLED = "killed.toml"

HELD_SECONDS = 0.2


def state_folder() -> Path:
    """Where the private farm keeps what it has."""
    named = os.environ.get("QUINCUNX_DEV_DIR")
    if named:
        return Path(named).absolute()
    from platformdirs import user_state_path

    return user_state_path("quincunx", appauthor=False) / "dev"


def settings_file(folder: Path | None = None) -> Path | None:
    """The settings of the private farm; None while none is ready."""
    root = folder or state_folder()
    path = root / "farm.toml"
    return path if path.is_file() and running_pid(root) else None


def running_pid(folder: Path) -> int | None:
    """The process that holds the farm in this folder. A killed one does not: the system drops its lock."""
    try:
        with (folder / "running").open("rb") as file:
            return None if _lock(file, shared=True) else int(file.read() or b"0")
    except FileNotFoundError:
        return None


class AlreadyRunning(FarmError):
    """Another process holds the private farm."""


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the farm in a folder. Raises `AlreadyRunning`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "running").open("a+b") as file:
        if not _locked_within(file, HELD_SECONDS):
            told = f"a private farm runs already, as process {running_pid(folder)}"
            raise AlreadyRunning(told, where=str(folder), remedy="quincunx dev stop")
        file.truncate(0)
        file.write(str(os.getpid()).encode())
        file.flush()
        if (folder / "farm.toml").exists():
            # Of one that was killed: nobody is to find it, but its processes are still to be waited for.
            (folder / "farm.toml").replace(folder / KILLED)
        try:
            yield
        finally:
            (folder / "farm.toml").unlink(missing_ok=True)


def _locked_within(file: IO[bytes], seconds: float) -> bool:
    """Take the lock. Who asks whether a farm runs has it for a moment, too."""
    deadline = time.monotonic() + seconds
    while not _lock(file, shared=False):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def key_file(folder: Path) -> Path:
    """The file of the key that signs this farm's messages; made when it is first asked for."""
    return _secret(folder / "envelope")


def password_file(folder: Path) -> Path:
    """The file of the password of this farm's Redis: other users of the machine reach its port, too."""
    return _secret(folder / "password")


def user_file(folder: Path) -> Path:
    """The file that tells Redis who may do what: whoever has the password, everything."""
    digest = hashlib.sha256(password_file(folder).read_bytes()).hexdigest()
    write_private(folder / "users.acl", f"user default on #{digest} ~* &* +@all\n")
    return folder / "users.acl"


def _secret(path: Path) -> Path:
    if not path.exists():
        write_private(path, secrets.token_hex(32))
    return path


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read; whole, or not at all."""
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    beside.replace(path)


def write_settings(folder: Path, settings: Mapping[str, str]) -> None:
    """Tell others where the farm is: from now on it is found."""
    # Of all that JSON writes, TOML reads texts alike.
    rows = "".join(f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in settings.items())
    write_private(folder / "farm.toml", f"# written by `quincunx dev`, for as long as it runs\n[farm]\n{rows}")


def _lock(file: IO[bytes], *, shared: bool) -> bool:
    """Take a lock on a file without waiting. False if another process has one against it."""
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
