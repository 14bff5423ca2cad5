"""`quincunx plugins`: what installed packages add, and what of it could not be used."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from quincunx_orchestrator.cli.documents import json_option
from quincunx_orchestrator.cli.workspace import Workspace, isolate_options

if TYPE_CHECKING:
    from quincunx_shared.plugins import Plugins


@click.command("plugins", short_help="List what installed packages add.")
@json_option
def command(as_json: bool, isolate: tuple[str, ...], isolate_seconds: float, isolate_memory: float) -> int:
    """List the steps, song formats, phrase cutters, operators and interpolations of installed packages.

    A plug-in that cannot be used is named with the reason; everything else works without it. Exit code 1 then.
    """
    rows, problems = _offered(Workspace(apart=(isolate, isolate_seconds, isolate_memory)))
    if as_json:
        document: dict[str, Any] = {"schema": 1, "plugins": rows, "left_out": problems}
        click.echo(json.dumps(document, ensure_ascii=False))
    else:
        for row in rows:
            click.echo(f"{row['kind']:14} {row['name']:20} {row['package']}")
        if not rows:
            click.echo("No installed package adds anything.", err=True)
    for one in problems:
        click.echo(f"Left out: {one['kind']} {one['plugin']}: {one['problem']}", err=True)
    return 1 if problems else 0


for _option in reversed(isolate_options):
    command = _option(command)


def _offered(workspace: Workspace) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    from quincunx_orchestrator import installed
    from quincunx_orchestrator.embedded import installed_steps

    isolation = workspace.isolation
    kinds: dict[str, Plugins[Any]] = {
        "step": installed_steps(isolation),
        "score format": installed.score_formats(isolation),
        "phrase cutter": installed.phrase_cutters(isolation),
        "operator": installed.operators(isolation),
        "interpolation": installed.interpolations(isolation),
    }
    rows = [
        {"kind": kind, "name": name, "package": package}
        for kind, plugins in kinds.items()
        for name, package in sorted(plugins.origins.items())
    ]
    problems = [
        {"kind": kind, "plugin": plugin, "problem": problem}
        for kind, plugins in kinds.items()
        for plugin, problem in plugins.problems.items()
    ]
    return rows, problems
