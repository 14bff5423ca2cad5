"""`quincunx logs`: what happened in a job, step by step."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from quincunx_orchestrator.cli.farm.options import farm_options
from quincunx_orchestrator.cli.workspace import json_option

if TYPE_CHECKING:
    from quincunx_orchestrator.farm.opening import OpenFarm
    from quincunx_shared.events import Event
    from quincunx_shared.names import RenderId


@dataclass(frozen=True)
class Wanted:
    """Which events somebody wants to read."""

    phrase: str = ""
    step: str = ""
    failed: bool = False

    def takes(self, event: Event) -> bool:
        """Whether this is one of them."""
        segment, node = getattr(event, "segment", ""), getattr(event, "node", "")
        if self.failed and type(event).__name__ not in ("StepFailed", "StepSkipped"):
            return False
        return segment.startswith(self.phrase) and self.step in ("", node)


@click.command("logs", short_help="Say what happened in a job, step by step.")
@click.argument("name", metavar="ID")
@click.option("--phrase", default="", metavar="NAME", help="Only of the phrases that begin so: t1-85; `song`: the mix.")
@click.option("--step", default="", metavar="NAME", help="Only of this step, such as acoustic.")
@click.option("--failed", is_flag=True, help="Only what failed, and what was skipped because of it.")
@click.option("-f", "--follow", is_flag=True, help="Stay until the job is over.")
@json_option
@farm_options
def command(name: str, phrase: str, step: str, failed: bool, follow: bool, as_json: bool, **flags: str | None) -> int:
    """Say what happened in the job ID. With --json, one document; following, one on every line."""
    from quincunx_orchestrator.cli.farm.opening import find_job
    from quincunx_orchestrator.cli.farm.options import named_farm
    from quincunx_orchestrator.cli.farm.tellers import event_document
    from quincunx_orchestrator.cli.main import INTERRUPTED
    from quincunx_orchestrator.farm.opening import open_farm

    wanted = Wanted(phrase, step, failed)
    gathered = []
    with open_farm(named_farm(**flags)) as farm:
        render = find_job(farm.jobs, name).render
        try:
            for sequence, event in _events(farm, render, follow):
                if not wanted.takes(event):
                    continue
                if as_json and not follow:
                    gathered.append(event_document(sequence, event))
                else:
                    document = event_document(sequence, event)
                    click.echo(json.dumps(document, ensure_ascii=False) if as_json else _line(event))
        except KeyboardInterrupt:
            return INTERRUPTED
    if as_json and not follow:
        click.echo(json.dumps({"schema": 1, "render": render, "events": gathered}, ensure_ascii=False))
    return 0


def _events(farm: OpenFarm, render: RenderId, follow: bool) -> Iterator[tuple[int, Event]]:
    return farm.client().events(render) if follow else iter(farm.jobs.follow(render, 0, 0.0))


def _line(event: Event) -> str:
    from quincunx_orchestrator.cli.farm.words import counted
    from quincunx_shared import events

    match event:
        case events.RenderPlanned():
            return f"planned: {counted(event.to_run, 'step')} to run"
        case events.StageStarted():
            return f"stage {event.level + 1} began: {counted(event.bundles, 'bundle')}"
        case events.StageEnded():
            return f"stage {event.level + 1} ended"
        case events.StepRan():
            return f"{event.segment} {event.node} ran in {event.seconds:.3f} s: {event.reason}"
        case events.StepRecalled():
            return f"{event.segment} {event.node} recalled by its {event.by} signature"
        case events.StepFailed():
            return f"{event.segment} {event.node} FAILED: {event.error}"
        case events.StepSkipped():
            return f"{event.segment} {event.node} skipped: {event.because}"
        case events.StepProgressed():
            return f"{event.segment} {event.node} {event.percent:.0f} %: {event.text}"
        case events.SegmentEnded():
            return f"{event.segment} {event.state}"
        case events.RenderEnded():
            return f"ended: {event.state}"
