"""`quincunx watch`: follow a job of the farm, and fetch what came of it."""

from __future__ import annotations

from pathlib import Path

import click

from quincunx_orchestrator.cli.documents import json_option
from quincunx_orchestrator.cli.farm.options import farm_options


@click.command("watch", short_help="Follow a job, and fetch what came of it.")
@click.argument("name", metavar="ID")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write the song here when it is done.")
@click.option("--timeout", type=click.FloatRange(0), metavar="SECONDS", help="Follow no longer; exit code 8 then.")
@click.option("-q", "--quiet", is_flag=True, help="Only what it came to.")
@json_option
@farm_options
def command(
    name: str, output: Path | None, timeout: float | None, quiet: bool, as_json: bool, **flags: str | None
) -> int:
    """Follow the job ID until it is over; Ctrl-C leaves it running. One that is over is told of at once.

    With --json, every event is a document on a line of its own, and the last line is what the job came to.
    """
    from quincunx_orchestrator.cli.farm.naming import names_of_job
    from quincunx_orchestrator.cli.farm.opening import find_job
    from quincunx_orchestrator.cli.farm.options import named_farm
    from quincunx_orchestrator.cli.farm.submitting import Errand, follow_to_end
    from quincunx_orchestrator.cli.job import check_output
    from quincunx_orchestrator.farm.opening import open_farm

    if output is not None:
        check_output(output)
    errand = Errand(Path(), output, "wav", watch=True, wait=True, timeout=timeout, quiet=quiet)
    with open_farm(named_farm(**flags)) as farm:
        record = find_job(farm.jobs, name)
        return follow_to_end(farm, record.render, errand, names_of_job(farm.recall.blobs, record), as_json=as_json)
