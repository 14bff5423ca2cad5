"""A command that becomes another process: signals, exit code and output are then that one's own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quincunx_shared.farm.settings import FarmSettings


def become(command: Sequence[str], settings: FarmSettings) -> None:
    """Go on as this command, with these settings. Does not return."""
    from quincunx_orchestrator.farm.processes import environment_of

    environment = environment_of(settings, os.environ)
    if sys.platform == "win32":
        # exec there ends this process before the other has begun, and the terminal is free too early.
        sys.exit(subprocess.run(command, env=environment, check=False).returncode)  # noqa: S603
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(command[0], list(command), environment)  # noqa: S606 - our own program
