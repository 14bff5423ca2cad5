"""`quincunx logs`: what happened in a job, step by step."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from quincunx_orchestrator.cli.documents import json_option
from quincunx_orchestrator.cli.farm.options import farm_options
from quincunx_shared.names import SONG, SegmentId

if TYPE_CHECKING:
    from quincunx_orchestrator.core.segment_names import SegmentNames
    from quincunx_orchestrator.farm.opening import OpenFarm
    from quincunx_shared.events import Event
    from quincunx_shared.names import RenderId


@dataclass(frozen=True)
class Wanted:
    """Which events somebody wants to read."""

    names: SegmentNames
    phrase: str = ""
    step: str = ""
    failed: bool = False

    def takes(self, told: tuple[int, Event]) -> bool:
        """Whether this is one of them."""
        _, event = told
        segment, node = SegmentId(getattr(event, "segment", "")), getattr(event, "node", "")
        if self.failed and type(event).__name__ not in ("StepFailed", "StepSkipped"):
            return False
        named = (segment, self.names.labels.get(segment, ""))
        return any(one.startswith(self.phrase) for one in named) and self.step in ("", node)


@click.command("logs", short_help="Say what happened in a job, step by step.")
@click.argument("name", metavar="ID")
@click.option("--phrase", default="", metavar="NAME", help="Only of phrases whose name or label begins so: Alto 9.")
@click.option("--step", default="", metavar="NAME", help="Only of this step, such as acoustic.")
@click.option("--failed", is_flag=True, help="Only what failed, and what was skipped because of it.")
@click.option("-f", "--follow", is_flag=True, help="Stay until the job is over.")
@json_option
@farm_options
def command(name: str, phrase: str, step: str, failed: bool, follow: bool, as_json: bool, **flags: str | None) -> int:
    """Say what happened in the job ID. With --json, one document; following, one on every line."""
    from quincunx_orchestrator.cli.farm.naming import names_of_job
    from quincunx_orchestrator.cli.farm.opening import find_job
    from quincunx_orchestrator.cli.farm.options import named_farm
    from quincunx_orchestrator.cli.farm.tellers import event_document
    from quincunx_orchestrator.cli.main import INTERRUPTED
    from quincunx_orchestrator.farm.opening import open_farm

    gathered = []
    with open_farm(named_farm(**flags)) as farm:
        record = find_job(farm.jobs, name)
        render, names = record.render, names_of_job(farm.recall.blobs, record)
        wanted = Wanted(names, phrase, step, failed)
        try:
            for sequence, event in filter(wanted.takes, _events(farm, render, follow)):
                if not as_json:
                    click.echo(_line(event, names))
                elif follow:
                    click.echo(json.dumps(event_document(sequence, event, names), ensure_ascii=False))
                else:
                    gathered.append(event_document(sequence, event, names))
        except KeyboardInterrupt:
            return INTERRUPTED
    if as_json and not follow:
        click.echo(json.dumps({"schema": 1, "render": render, "events": gathered}, ensure_ascii=False))
    return 0


def _events(farm: OpenFarm, render: RenderId, follow: bool) -> Iterator[tuple[int, Event]]:
    return farm.client().events(render) if follow else iter(farm.jobs.follow(render, 0, 0.0))


def _line(event: Event, names: SegmentNames) -> str:
    from datetime import datetime

    moment = f"{datetime.fromtimestamp(event.at):%Y-%m-%d %H:%M:%S} " if event.at else ""
    return f"{moment}{_sentence(event, names)}"


def _sentence(event: Event, names: SegmentNames) -> str:
    from quincunx_orchestrator.cli.farm.words import counted
    from quincunx_shared import events

    phrase = names.called(getattr(event, "segment", SONG))
    match event:
        case events.RenderPlanned():
            return f"planned: {counted(event.to_run, 'step')} to run"
        case events.StageStarted():
            return f"stage {event.level + 1} began: {counted(event.bundles, 'bundle')}"
        case events.StageEnded():
            return f"stage {event.level + 1} ended"
        case events.StepRan():
            return f"{phrase} {event.node} ran in {event.seconds:.3f} s{_on(event.worker)}: {event.reason}"
        case events.StepRecalled():
            return f"{phrase} {event.node} recalled by its {event.by} signature{_on(event.worker)}"
        case events.StepFailed():
            return f"{phrase} {event.node} FAILED{_on(event.worker)}: {names.in_song(event.segment, event.error)}"
        case events.StepSkipped():
            return f"{phrase} {event.node} skipped: {event.because.removeprefix(f'{event.segment}/')}"
        case events.StepProgressed():
            return f"{phrase} {event.node} {event.percent:.0f} %: {event.text}"
        case events.SegmentEnded():
            return f"{phrase} {event.state}"
        case events.RenderEnded():
            return f"ended: {event.state}"


def _on(worker: str) -> str:
    return f" on {worker}" if worker else ""
