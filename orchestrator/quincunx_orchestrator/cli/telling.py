"""What the command line tells a person: notices, progress, plans, summaries. Data on stdout, all else on stderr."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from quincunx_orchestrator.cli.job import Job, report_of
from quincunx_orchestrator.cli.main import ERROR, PARTIAL, STARTED
from quincunx_orchestrator.cli.shared_options import Choices
from quincunx_orchestrator.core.planner import Plan, StepKey
from quincunx_orchestrator.render import RenderResult, steps_by_state
from quincunx_shared.events import Event, StepRan, StepRecalled
from quincunx_shared.names import SONG

#: The version of the JSON documents the command line prints.
SCHEMA = 1


def say_notices(job: Job, quiet: bool) -> None:
    """Say aloud what was decided without asking."""
    if not quiet:
        for notice in job.assembly.notices:
            click.echo(f"Note: {notice}.", err=True)
        for plugin, problem in job.studio.left_out.items():
            click.echo(f"Note: the plug-in {plugin} is left out: {problem}.", err=True)


@contextmanager
def progress(job: Job, *, quiet: bool) -> Iterator[None]:
    """Show a bar while steps run, on a terminal only."""
    if quiet or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("Rendering"), BarColumn(), MofNCompleteColumn(), TextColumn("steps"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        line = bar.add_task("steps", total=max(len(job.plan().to_run), 1))

        def advance(event: Event) -> None:
            if isinstance(event, StepRan | StepRecalled):
                bar.advance(line)

        with job.log.heard_by(advance):
            yield


def show_plan(job: Job, plan: Plan, choices: Choices) -> None:
    """Print what a render would do: one JSON document, or a tree a person can read."""
    if choices.as_json:
        document = {
            "schema": SCHEMA,
            "dry_run": True,
            "steps_to_run": len(plan.to_run),
            "steps_recalled": len(plan.recalled) + plan.covered,
            "would_run": _rows(plan.reasons),
        }
        click.echo(json.dumps(document, ensure_ascii=False))
        return
    recalled = len(plan.recalled) + plan.covered
    click.echo(f"{_steps(len(plan.to_run))} would run, {recalled} recalled.")
    click.echo(cause_tree(job, plan), nl=False)


def explain(job: Job, plan: Plan) -> None:
    """Tell on standard error why each step is about to run."""
    click.echo(cause_tree(job, plan), nl=False, err=True)


def cause_tree(job: Job, plan: Plan) -> str:
    """Return, phrase by phrase, the steps that run, each below the step whose change it follows from."""
    lines: list[str] = []
    bound = job.studio.bind(job.assembly)
    for segment in dict.fromkeys(segment for segment, _ in plan.reasons):
        name = "The song" if segment == SONG else f"{segment}  {job.label_of(segment)}"
        lines.append(name)
        depth: dict[str, int] = {}
        for node, step in bound.segments[segment].steps.items():
            if (segment, node) not in plan.reasons:
                continue
            feeders = (one.address for sources in step.sources for one in sources if one.address)
            above = [depth[one.key.node] for one in feeders if one.segment == segment and one.key.node in depth]
            depth[node] = max(above, default=-1) + 1
            lines.append(f"{'  ' * depth[node]}└ {node}: {plan.reasons[segment, node]}")
    return "".join(f"{line}\n" for line in lines)


def summarise(job: Job, result: RenderResult, output: Path, choices: Choices) -> int:
    """Print the summary and return the exit code."""
    counts = steps_by_state(result)
    measured = report_of(result)
    wall = time.perf_counter() - STARTED
    seconds = float(measured.get("seconds", 0.0))
    made = "payload" if result.payloads else ""
    if choices.as_json:
        document = _summary(job, result, output if made else None, wall)
        picture = str(choices.picture) if choices.picture and made else None
        click.echo(json.dumps({**document, "picture": picture}, ensure_ascii=False))
    elif not choices.quiet:
        factor = f", {wall / seconds:.3f} × real time" if seconds else ""
        click.echo(
            f"{_steps(counts['run'])} run, {counts['recalled']} recalled; "
            f"{seconds:.1f} s of audio in {wall:.2f} s{factor}; {_loudness(measured)}",
            err=True,
        )
        if made:
            click.echo(output)
            if choices.picture:
                click.echo(choices.picture)
    silent = len({segment for segment, _ in result.failed if segment != SONG})
    if silent and made:
        click.echo(f"{output} was written WITHOUT {silent} phrase{'s' if silent > 1 else ''}:", err=True)
    elif not made:
        click.echo("Nothing was written.", err=True)
    for (segment, node), error in result.failed.items():
        click.echo(
            f"Failed: {job.label_of(segment)}{f' ({node})' if node else ''}: {job.in_song(segment, error)}", err=True
        )
    return {"succeeded": 0, "partial": PARTIAL, "failed": ERROR}[result.state]


def _summary(job: Job, result: RenderResult, output: Path | None, wall: float) -> dict[str, Any]:
    counts = steps_by_state(result)
    measured = report_of(result)
    seconds = float(measured.get("seconds", 0.0))
    return {
        "schema": SCHEMA,
        "state": result.state,
        "output": str(output) if output else None,
        "steps_run": counts["run"],
        "steps_recalled": counts["recalled"],
        "steps_failed": counts["failed"],
        "steps_skipped": counts["skipped"],
        "ran": _rows(result.ran),
        "failed": [[segment, node, job.in_song(segment, error)] for (segment, node), error in result.failed.items()],
        "audio_seconds": round(seconds, 3),
        "wall_seconds": round(wall, 3),
        "real_time_factor": round(wall / seconds, 4) if seconds else None,
        "loudness_lufs": measured.get("loudness_lufs"),
        "true_peak_dbtp": measured.get("true_peak_dbtp"),
        "clipped_samples": measured.get("clipped"),
        "notices": list(job.assembly.notices),
    }


def _rows(reasons: Mapping[StepKey, str]) -> list[list[str]]:
    return [[segment, node, reason] for (segment, node), reason in reasons.items()]


def _steps(count: int) -> str:
    return f"{count} step{'' if count == 1 else 's'}"


def _loudness(measured: Mapping[str, Any]) -> str:
    loudness, peak = measured.get("loudness_lufs"), measured.get("true_peak_dbtp")
    if loudness is None or peak is None:
        return "silence"
    clipped = measured.get("clipped")
    lost = f", {clipped} samples CLIPPED (use --bits float, or leave the limiter on)" if clipped else ""
    return f"{loudness:.1f} LUFS, {peak:.1f} dBTP{lost}"
