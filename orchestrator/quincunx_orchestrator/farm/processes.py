"""How the processes of a farm are started: the command line and the environment of each role.

Roles never import each other: a worker is started by the name of its package.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from quincunx_shared.farm.settings import FarmSettings
from quincunx_shared.farm.settings_layers import PREFIX

#: `-P`: what lies in the working directory, a user's songs, is no code of ours.
_PYTHON = (sys.executable, "-P", "-m")


def worker_command(
    queues: Sequence[str], device: str, concurrency: int | None = None, name: str = ""
) -> tuple[str, ...]:
    """Start a worker of one kind; what is empty or None is the worker's own choice."""
    chosen = ("--queues", ",".join(queues)) if queues else ()
    slots = () if concurrency is None else ("--concurrency", str(concurrency))
    called = ("--name", name) if name else ()
    return (*_PYTHON, "quincunx_workers.farm", *chosen, "--device", device, *slots, *called)


def coordinator_command() -> tuple[str, ...]:
    """Start a coordinator."""
    return (*_PYTHON, "quincunx_orchestrator.farm")


def environment_of(settings: FarmSettings, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process that is to have exactly these settings."""
    rest = {name: value for name, value in environ.items() if not name.startswith(PREFIX)}
    # Defaults, too: files that the process reads must not overrule what was decided here.
    told = settings.model_dump(mode="json").items()
    return {**rest, **{f"{PREFIX}{name.upper()}": str(value) for name, value in told if value not in (None, "")}}
