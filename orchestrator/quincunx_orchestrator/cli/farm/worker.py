"""`quincunx worker`: a process that runs what coordinators release."""

from __future__ import annotations

import click

from quincunx_orchestrator.cli.farm.options import setting_options
from quincunx_orchestrator.cli.help_sections import SectionedCommand


@click.command("worker", cls=SectionedCommand, short_help="Run steps for a farm.")
@click.option(
    "--device", type=click.Choice(["cpu", "gpu"]), default="cpu", show_default=True, help="What it computes on."
)
@click.option(
    "--queues",
    metavar="A,B",
    default="",
    help="Whose work: cpu,gpu for all, or single queues, as gpu.system,gpu.user.  [default: its device's]",
)
@click.option("--concurrency", type=click.IntRange(1, 1024), help="Bundles at once.  [default: cpu one a core, gpu 4]")
@setting_options
def command(device: str, queues: str, concurrency: int | None, **flags: str | None) -> None:
    """Take work from the farm's queues until SIGTERM, then finish what is begun.

    Where no machine has a GPU, the others do its work: --queues cpu,gpu. A cpu worker has a process a core; a gpu
    worker is one process with threads: start one for every device, and choose it with CUDA_VISIBLE_DEVICES.
    """
    from quincunx_orchestrator.cli.farm.becoming import become
    from quincunx_orchestrator.cli.farm.options import named_farm
    from quincunx_orchestrator.farm.processes import worker_command

    chosen = [one.strip() for one in queues.split(",") if one.strip()]
    become(worker_command(chosen, device, concurrency), named_farm(**flags))
