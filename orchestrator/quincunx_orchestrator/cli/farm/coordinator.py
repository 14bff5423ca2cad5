"""`quincunx coordinator`: a process that sees jobs through."""

from __future__ import annotations

import click

from quincunx_orchestrator.cli.farm.options import setting_options
from quincunx_orchestrator.cli.help_sections import SectionedCommand


@click.command("coordinator", cls=SectionedCommand, short_help="See the jobs of a farm through.")
@setting_options
def command(**flags: str | None) -> None:
    """Take jobs and see them through until SIGTERM. Any number may run, on any machines; any of them may die."""
    from quincunx_orchestrator.cli.farm.becoming import become
    from quincunx_orchestrator.cli.farm.options import named_farm
    from quincunx_orchestrator.farm.processes import coordinator_command

    become(coordinator_command(), named_farm(**flags))
