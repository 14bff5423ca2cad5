"""Secrets lie in files, which others on the machine must not be able to read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from quincunx_shared.errors import BadInput

#: Where containers see their secrets. What lies there is shown to everyone in the container, and nobody else.
MOUNTED = Path("/run/secrets")

#: No key of ours is longer; a path that names something else is noticed before it is sent anywhere.
LIMIT = 4096


class BadSecret(BadInput):
    """A file that should hold a secret cannot be used. The message never holds what is in it."""


def rights_problem(path: Path) -> str:
    """Say who may read or change a file of secrets and must not; empty when nobody."""
    if os.name != "posix" or MOUNTED in path.parents:
        return ""
    mode = path.stat().st_mode
    if mode & (stat.S_IROTH | stat.S_IWOTH):
        return f"everybody on this machine may {'change' if mode & stat.S_IWOTH else 'read'} it"
    return "its group may change it" if mode & stat.S_IWGRP else ""


def read_secret(path: Path) -> bytes:
    """Return what a file of secrets holds, without the newline at its end.

    Raises `BadSecret` for a file that is missing, empty, far too long, or open to others.
    """
    try:
        if problem := rights_problem(path):
            raise BadSecret(problem, where=str(path), remedy=f"chmod 600 {path}")
        with path.open("rb") as file:
            content = file.read(LIMIT + 1).strip(b"\r\n")
    except OSError as error:
        raise BadSecret(f"this secret cannot be read: {error.strerror}", where=str(path)) from error
    if not content:
        raise BadSecret("this file of a secret is empty", where=str(path))
    if len(content) > LIMIT:
        raise BadSecret(f"this is no secret: it has more than {LIMIT} bytes", where=str(path))
    return content
