"""What the command line tells a person: notices, progress, plans, summaries. Data on stdout, all else on stderr."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from quincunx_orchestrator.cli.cause_tree import tree_lines
from quincunx_orchestrator.cli.conflicts import conflict_line, conflict_rows
from quincunx_orchestrator.cli.job import Job, report_of
from quincunx_orchestrator.cli.main import ERROR, PARTIAL
from quincunx_orchestrator.cli.outputs import Output
from quincunx_orchestrator.cli.shared_options import Choices
from quincunx_orchestrator.core.planner import Plan, StepKey
from quincunx_orchestrator.render_result import RenderResult, steps_by_state
from quincunx_shared.errors import QuincunxError
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


@dataclass(frozen=True)
class Told:
    """What became of one render, as a document and as an exit code."""

    document: Mapping[str, Any]
    code: int


def show_plan(job: Job, plan: Plan, choices: Choices) -> Told:
    """Tell what a render would do, and print it as a tree unless a document is wanted."""
    recalled = len(plan.recalled) + plan.covered
    if not choices.as_json:
        click.echo(f"{_steps(len(plan.to_run))} would run, {recalled} recalled.")
        click.echo(cause_tree(job, plan), nl=False)
    document = {
        "schema": SCHEMA,
        "dry_run": True,
        "song": str(job.path),
        "steps_to_run": len(plan.to_run),
        "steps_recalled": recalled,
        "would_run": _rows(plan.reasons),
        "conflicts": conflict_rows(plan.conflicts, job.assembly),
    }
    return Told(document, 0)


def explain(job: Job, plan: Plan) -> None:
    """Tell on standard error why each step is about to run."""
    click.echo(cause_tree(job, plan), nl=False, err=True)


def cause_tree(job: Job, plan: Plan) -> str:
    """Return, phrase by phrase, the steps that run, each below the step whose change it follows from."""
    lines: list[str] = []
    bound = job.studio.bind(job.assembly)
    for segment in dict.fromkeys(segment for segment, _ in plan.reasons):
        name = "The song" if segment == SONG else f"{segment}  {job.label_of(segment)}"
        lines += [name, *tree_lines(bound.segments[segment].steps, segment, plan.reasons)]
    return "".join(f"{line}\n" for line in lines)


def summarise(job: Job, result: RenderResult, written: Sequence[Output], choices: Choices) -> Told:
    """Tell what was rendered and written: files on stdout, all else on stderr, unless a document is wanted."""
    wall = time.perf_counter() - job.started
    if not choices.as_json and not choices.quiet:
        click.echo(_summary_line(job, result, wall), err=True)
        for one in written:
            click.echo(one.path)
    conflicts = map(conflict_line, conflict_rows(result.conflicts, job.assembly))
    for line in (*_losses(job, result, written), *_clippings(result, written, job), *conflicts):
        click.echo(line, err=True)
    code = {"succeeded": 0, "partial": PARTIAL, "failed": ERROR}[result.state]
    return Told(_summary(job, result, written, wall), code)


def told_of_error(song: Path, error: Exception, code: int) -> Told:
    """Return what is told of a song that could not be rendered at all."""
    what = error.what if isinstance(error, QuincunxError) else str(error)
    where = error.where if isinstance(error, QuincunxError) else ""
    document = {"schema": SCHEMA, "song": str(song), "state": "failed", "outputs": []}
    return Told({**document, "error": {"what": what, "where": where}}, code)


def print_documents(told: Sequence[Told], choices: Choices, *, together: bool) -> None:
    """Print one JSON document, if one is wanted: that of the only render, or one with a list of all."""
    if not choices.as_json:
        return
    documents = [one.document for one in told]
    whole = {"schema": SCHEMA, "state": _state_of(told), "renders": documents} if together else documents[0]
    click.echo(json.dumps(whole, ensure_ascii=False))


def exit_code(told: Sequence[Told]) -> int:
    """Return the code of all renders: that which they share, else that only a part of them was done."""
    codes = {one.code for one in told}
    if len(codes) == 1:
        return codes.pop()
    return PARTIAL if codes & {0, PARTIAL} else ERROR


def _state_of(told: Sequence[Told]) -> str:
    return {0: "succeeded", PARTIAL: "partial"}.get(exit_code(told), "failed")


def _summary_line(job: Job, result: RenderResult, wall: float) -> str:
    counts, measured = steps_by_state(result), report_of(result)
    seconds = float(measured.get("seconds", 0.0))
    factor = f", {wall / seconds:.3f} × real time" if seconds else ""
    take = _take_in_words(job)
    return (
        f"{_steps(counts['run'])} run, {counts['recalled']} recalled; "
        f"{seconds:.1f} s of audio in {wall:.2f} s{factor}; {_loudness(measured)}{f'; {take}' if take else ''}"
    )


def _take_in_words(job: Job) -> str:
    """Say which take was rendered, where there is more than one to think of."""
    if job.wishes.number:
        return f"take {job.wishes.number} (seed {job.take.seed})"
    if job.wishes.seed is None and job.takes.kept is not None:
        return f"take {job.takes.kept}, the kept one (seed {job.take.seed})"
    return ""


def _losses(job: Job, result: RenderResult, written: Sequence[Output]) -> Iterator[str]:
    """Say what is missing, and why."""
    phrases = {one.segment.id for one in job.assembly.placed}
    silent = len({segment for segment, _ in result.failed if segment in phrases})
    if not written:
        yield "Nothing was written."
    elif silent:
        yield f"{written[0].path} was written WITHOUT {silent} phrase{'s' if silent > 1 else ''}:"
    for (segment, node), error in result.failed.items():
        yield f"Failed: {job.label_of(segment)}{f' ({node})' if node else ''}: {job.in_song(segment, error)}"


def _clippings(result: RenderResult, written: Sequence[Output], job: Job) -> Iterator[str]:
    """Name the stems and phrase files that were too loud for their sample format."""
    there = {one.path.name for one in written}
    for one in job.assembly.deliverables:
        clipped = (result.payloads.get(one.report) or {}).get("clipped")
        if clipped and one.file_name in there:
            yield f"{one.file_name}: {clipped} samples CLIPPED; use --bits float."


def _summary(job: Job, result: RenderResult, written: Sequence[Output], wall: float) -> dict[str, Any]:
    counts = steps_by_state(result)
    measured = report_of(result)
    seconds = float(measured.get("seconds", 0.0))
    song = next((str(one.path) for one in written if one.kind == "song"), None)
    return {
        "schema": SCHEMA,
        "song": str(job.path),
        "state": result.state,
        "output": song,
        "picture": next((str(one.path) for one in written if one.kind == "picture"), None),
        "outputs": [{"kind": one.kind, "path": str(one.path)} for one in written],
        "seed": job.take.seed,
        "take": job.wishes.number or (job.takes.kept if job.wishes.seed is None else None),
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
        "conflicts": conflict_rows(result.conflicts, job.assembly),
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
