"""Telling a person of a job under way: its events counted, as lines, as a bar, as documents, or not at all."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Protocol

import click

from quincunx_orchestrator.cli.farm.words import counted, moment_text
from quincunx_shared.events import (
    Event,
    RenderPlanned,
    StageEnded,
    StageStarted,
    StepFailed,
    StepRan,
    StepRecalled,
    StepSkipped,
)
from quincunx_shared.names import SegmentId

if TYPE_CHECKING:
    from quincunx_orchestrator.core.segment_names import SegmentNames


@dataclass
class Tally:
    """What was heard of a job so far."""

    to_run: int = 0
    ran: int = 0
    #: By workers: what somebody else computed meanwhile, or what a change made no difference to.
    recalled: int = 0
    failed: int = 0
    skipped: int = 0
    level: int = 0
    #: When something was heard last, by the clock of Redis.
    last_at: float = 0.0

    def hear(self, event: Event) -> None:
        """Count an event."""
        self.last_at = event.at
        match event:
            case RenderPlanned():
                # A job that is taken over is planned again: what is left comes on top of what was done.
                self.to_run = self.done + event.to_run
            case StepRan():
                self.ran += 1
            case StepRecalled():
                self.recalled += 1
            case StepFailed():
                self.failed += 1
            case StepSkipped():
                self.skipped += 1
            case StageStarted():
                self.level = event.level

    @property
    def done(self) -> int:
        """Steps that need no more work."""
        return self.ran + self.recalled + self.failed + self.skipped

    def text(self) -> str:
        """`12 of 40 steps done, 3 of them recalled, 1 failed; stage 2`; empty while nothing is planned."""
        if not self.to_run:
            return ""
        recalled = f", {self.recalled} of them recalled" if self.recalled else ""
        failed = f", {self.failed} failed" if self.failed else ""
        return f"{self.done} of {counted(self.to_run, 'step')} done{recalled}{failed}; stage {self.level + 1}"

    def document(self) -> dict[str, int]:
        """The same for programs."""
        counts = {"to_run": self.to_run, "done": self.done, "ran": self.ran, "recalled": self.recalled}
        return {"stage": self.level + 1, **counts, "failed": self.failed, "skipped": self.skipped}


class Teller(Protocol):
    """Tells a person of a job's progress."""

    def hear(self, sequence: int, event: Event, tally: Tally) -> None:
        """Something happened."""

    def wait(self, reason: str) -> None:
        """Nothing happens, because of this."""


class Silent:
    """Tells nothing."""

    def hear(self, sequence: int, event: Event, tally: Tally) -> None:
        """Nothing."""

    def wait(self, reason: str) -> None:
        """Nothing."""


class Lines:
    """A line for every stage, for logs and pipes."""

    def hear(self, sequence: int, event: Event, tally: Tally) -> None:  # noqa: ARG002 - a teller
        """Write a line on standard error, if it is worth one."""
        match event:
            case RenderPlanned():
                click.echo(f"Planned: {counted(event.to_run, 'step')} to run.", err=True)
            case StageStarted():
                click.echo(f"Stage {event.level + 1}: {counted(event.bundles, 'bundle')}.", err=True)
            case StageEnded():
                failed = f", {tally.failed} failed" if tally.failed else ""
                done = f"{tally.done} of {counted(tally.to_run, 'step')} done{failed}"
                click.echo(f"Stage {event.level + 1} ended; {done}.", err=True)

    def wait(self, reason: str) -> None:
        """Say what it waits for."""
        click.echo(f"It waits for {reason}.", err=True)


class Documents:
    """Every event as a JSON document on a line of its own, on standard output."""

    def __init__(self, names: SegmentNames) -> None:
        self._names = names

    def hear(self, sequence: int, event: Event, tally: Tally) -> None:  # noqa: ARG002 - a teller
        """Print an event."""
        click.echo(json.dumps(event_document(sequence, event, self._names), ensure_ascii=False))

    def wait(self, reason: str) -> None:
        """Say what it waits for, to whoever started this."""
        click.echo(f"It waits for {reason}.", err=True)


class Bar:
    """A bar on a terminal, with the stage and the time that is left."""

    def __init__(self, advance: Callable[[Tally], None]) -> None:
        self._advance = advance

    def hear(self, sequence: int, event: Event, tally: Tally) -> None:  # noqa: ARG002 - a teller
        """Move the bar."""
        self._advance(tally)

    def wait(self, reason: str) -> None:
        """Say what it waits for, above the bar."""
        click.echo(f"It waits for {reason}.", err=True)


def event_document(sequence: int, event: Event, names: SegmentNames) -> dict[str, object]:
    """An event as a document."""
    document = {"schema": 1, "sequence": sequence, "event": type(event).__name__, **asdict(event)}
    segment = SegmentId(getattr(event, "segment", ""))
    if segment in names.labels:
        document["label"] = names.labels[segment]
    document["at"] = moment_text(event.at)
    if isinstance(event, StepFailed):
        document["error"] = names.in_song(event.segment, event.error)
    return document


@contextmanager
def teller_for(names: SegmentNames, *, quiet: bool, as_json: bool) -> Iterator[Teller]:
    """Who tells: documents if they are wanted, a bar on a terminal, else lines."""
    if as_json:
        yield Documents(names)
    elif quiet:
        yield Silent()
    elif sys.stderr.isatty():
        yield from _bar()
    else:
        yield Lines()


def _bar() -> Iterator[Teller]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[more]}"))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as progress:
        line = progress.add_task("Waiting", total=None, more="")

        def advance(tally: Tally) -> None:
            failed = f", {tally.failed} failed" if tally.failed else ""
            more = f"steps, {tally.recalled} recalled{failed}"
            described = f"Stage {tally.level + 1}"
            progress.update(line, total=max(tally.to_run, 1), completed=tally.done, description=described, more=more)

        yield Bar(advance)
