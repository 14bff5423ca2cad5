"""`render --farm`: the same command and the same files, computed on a farm; where none is configured, a private one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from quincunx_orchestrator.cli.farm.following import Silence
from quincunx_orchestrator.cli.farm.options import load, named_farm
from quincunx_orchestrator.cli.farm.room import FarmRoom, open_farm_room
from quincunx_orchestrator.cli.farm.words import counted, short
from quincunx_orchestrator.cli.workspace import Workspace
from quincunx_orchestrator.farm.opening import OpenFarm, open_farm
from quincunx_orchestrator.farm.submission import Submission

if TYPE_CHECKING:
    from quincunx_orchestrator.farm.client import Submitted
    from quincunx_shared.farm.settings import FarmSettings
    from quincunx_shared.names import RenderId


@contextmanager
def open_room_on_farm(workspace: Workspace, *, quiet: bool) -> Iterator[FarmRoom]:
    """Open a room on the farm that is configured, else on a private one, which is started if need be."""
    settings = some_farm(quiet=quiet)
    accepted: list[Submitted] = []

    def tell(submitted: Submitted) -> None:
        accepted.append(submitted)
        if not quiet:
            told = f"Job {short(submitted.render)}: {counted(len(submitted.plan.to_run), 'step')} to run on the farm."
            click.echo(told, err=True)

    with open_farm(settings) as farm:
        looked = _teller_of_waits(farm, quiet=quiet)
        try:
            with open_farm_room(workspace, farm, Submission(limit=settings.max_jobs), tell, looked) as room:
                yield room
        except KeyboardInterrupt:
            if accepted:
                name = short(accepted[-1].render)
                click.echo(
                    f"The job goes on: `quincunx watch {name}` follows it, `quincunx cancel {name}` ends it.", err=True
                )
            raise


def _teller_of_waits(farm: OpenFarm, *, quiet: bool) -> Callable[[RenderId, bool], None]:
    """Say of a job to which nothing happens what it waits for."""
    silences: dict[RenderId, Silence] = {}

    def looked(render: RenderId, heard: bool) -> None:
        reason = silences.setdefault(render, Silence(farm, render)).reason(heard)
        if reason and not quiet:
            click.echo(f"It waits for {reason}.", err=True)

    return looked


def some_farm(*, quiet: bool) -> FarmSettings:
    """The farm that is configured, else the private one of this user, which is started if need be."""
    loaded = load()
    if loaded.settings.redis_url or loaded.settings.store:
        return named_farm()
    import os

    from quincunx_orchestrator.farm.private import state_folder
    from quincunx_orchestrator.farm.private_start import start_detached

    if not quiet:
        told = "No farm is configured: a private one is started on this machine. `quincunx dev stop` ends it."
        click.echo(f"Note: {told}", err=True)
    start_detached(state_folder(), os.cpu_count() or 1)
    return named_farm()
