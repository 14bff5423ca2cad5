"""`quincunx doctor`: look at everything a farm needs, and name what is wrong."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from quincunx_orchestrator.cli.documents import json_option
from quincunx_orchestrator.cli.farm.options import farm_options

if TYPE_CHECKING:
    from quincunx_orchestrator.farm.doctor.findings import Finding

#: Verdict → how it begins a line, and its colour on a terminal.
MARKS = {"ok": ("ok", "green"), "warning": ("WARN", "yellow"), "fault": ("FAULT", "red"), "skipped": ("–", "")}


@click.command("doctor", short_help="Look at everything a farm needs, and name what is wrong.")
@json_option
@farm_options
def command(as_json: bool, **flags: str | None) -> int:
    """Look at Redis, the store, the workers, the clock and this machine, and say what to do about what is wrong.

    Exit code 0 if nothing is, 1 if something is, 6 if Redis or the store cannot be reached. Warnings are no fault.
    """
    from quincunx_orchestrator.cli.farm.options import load
    from quincunx_orchestrator.farm.doctor.examination import examine
    from quincunx_shared.stores.farm_store import machine_folder

    settings = load(**flags).settings
    findings: list[Finding] = []
    for one in examine(settings, machine_folder(settings)):
        findings.append(one)
        if not as_json:
            _tell(one)
    if as_json:
        click.echo(json.dumps(_document(findings), ensure_ascii=False))
    else:
        faults, warnings = (sum(one.verdict == verdict for one in findings) for verdict in ("fault", "warning"))
        click.echo(
            f"{faults or 'no'} fault{'' if faults == 1 else 's'}, {warnings or 'no'} "
            f"warning{'' if warnings == 1 else 's'}",
            err=True,
        )
    return _code(findings)


def _tell(one: Finding) -> None:
    mark, colour = MARKS[one.verdict]
    shown = f"{mark:5}"
    if colour and sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        shown = click.style(shown, fg=colour)
    click.echo(f"{shown}  {one.check}: {one.what}")
    if one.remedy:
        click.echo(f"       → {one.remedy}")


def _document(findings: list[Finding]) -> dict[str, Any]:
    rows = [
        {"check": one.check, "verdict": one.verdict, "what": one.what, "remedy": one.remedy or None} for one in findings
    ]
    return {"schema": 1, "healthy": not any(one.verdict == "fault" for one in findings), "findings": rows}


def _code(findings: list[Finding]) -> int:
    from quincunx_orchestrator.cli.main import ERROR, UNREACHABLE

    if any(one.unreachable for one in findings):
        return UNREACHABLE
    return ERROR if any(one.verdict == "fault" for one in findings) else 0
