"""`quincunx dev`: a farm of one's own on this machine, with one command."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path
from types import FrameType

import click

from quincunx_orchestrator.cli.documents import answer, json_option


@click.group("dev", invoke_without_command=True, short_help="Run a farm of your own on this machine.")
@click.option("--workers", type=click.IntRange(1, 1024), help="Processes of the cpu worker.  [default: one a core]")
@click.option("--detach", is_flag=True, help="Come back as soon as it is ready; `quincunx dev stop` ends it.")
@json_option
@click.pass_context
def command(context: click.Context, workers: int | None, detach: bool, as_json: bool) -> int:
    """Start a Redis server, a coordinator and workers, with results in a folder, until Ctrl-C.

    Meanwhile `render --farm`, `demo --farm`, `submit` and all others find it, unless another farm is configured.
    """
    if context.invoked_subcommand is not None:
        return 0
    from quincunx_orchestrator.farm.private import state_folder

    folder, count = state_folder(), workers or os.cpu_count() or 1
    if detach:
        from quincunx_orchestrator.farm.private_start import start_detached

        start_detached(folder, count)
        _tell_ready(folder, as_json)
        return 0
    return _run(folder, count, as_json)


@command.command("stop", short_help="End it.")
@json_option
def stop(as_json: bool) -> None:
    """End the private farm; what it rendered is kept."""
    from quincunx_orchestrator.farm.private import state_folder
    from quincunx_orchestrator.farm.private_start import stop_running

    found = stop_running(state_folder())
    sentence = "The private farm has ended." if found else "No private farm runs."
    answer({"running": False, "stopped": found}, sentence, as_json=as_json)


@command.command("status", short_help="Say whether it runs, and where.")
@json_option
def status(as_json: bool) -> int:
    """Say whether the private farm runs; exit code 6 if not."""
    from quincunx_orchestrator.cli.main import UNREACHABLE
    from quincunx_orchestrator.farm.private import settings_file, state_folder

    folder = state_folder()
    if settings_file(folder) is not None:
        _tell_ready(folder, as_json)
        return 0
    if as_json:
        click.echo(json.dumps({"schema": 1, "running": False}))
    click.echo("No private farm runs. Start one with `quincunx dev`.", err=True)
    return UNREACHABLE


def _run(folder: Path, workers: int, as_json: bool) -> int:
    """Run the farm in this process until a signal."""
    from quincunx_orchestrator.farm.private_start import private_farm

    ended = threading.Event()

    def end(_: int, __: FrameType | None) -> None:
        ended.set()

    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, end)
    with private_farm(folder, workers, lambda text: click.echo(text, err=True), ended) as supervisor:
        if ended.is_set():
            return 0
        _tell_ready(folder, as_json)
        click.echo("Ctrl-C ends it.", err=True)
        supervisor.watch(ended)
        click.echo("Ending: what is begun is finished, what waits is kept.", err=True)
    return 0


def _tell_ready(folder: Path, as_json: bool) -> None:
    from quincunx_orchestrator.farm.private import running_pid
    from quincunx_shared.farm.settings_layers import load_settings

    settings = load_settings({}, {}, directory=folder, fallback=folder / "farm.toml").settings
    if as_json:
        where = {"redis_url": settings.redis_url, "store": settings.store, "settings_file": str(folder / "farm.toml")}
        click.echo(json.dumps({"schema": 1, "running": True, "pid": running_pid(folder), **where}), nl=True)
    click.echo(f"Ready: {settings.redis_url}, results and logs in {folder}", err=True)
