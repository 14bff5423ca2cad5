"""What is counted of the steps of a bundle: how many ran, were recalled, failed or were skipped, and how long it took.

Pure: events in, numbers out. A count has a name of parts, `steps|acoustic|ran`; `counters` adds them up for the farm.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from quincunx_shared.events import Event, StepFailed, StepRan, StepRecalled, StepSkipped
from quincunx_shared.recipe import Bundle

SEPARATOR = "|"

STEPS = "steps"
STEP_SECONDS = "step_seconds"
QUEUE_WAIT = "queue_wait_seconds"
REFUSED = "refused"
PLANNED_STEPS = "planned_steps"
BUNDLES_REDRIVEN = "bundles_redriven"
BUNDLES_QUARANTINED = "bundles_quarantined"

#: Upper bounds of what durations are sorted into: from a curve that is sampled to a long phrase on a slow machine.
STEP_BOUNDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0)
WAIT_BOUNDS = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1800.0)

SUM = "sum"
BEYOND = "inf"

_RESULTS: Mapping[type, str] = {
    StepRan: "ran",
    StepRecalled: "recalled",
    StepFailed: "failed",
    StepSkipped: "skipped",
}


def counts_of(bundle: Bundle, events: Iterable[Event]) -> dict[str, float]:
    """Count the events of a bundle by the step that they are about. Events of other nodes are not counted."""
    step_of = {task.step.id: task.step.step for task in bundle.tasks}
    found: Counter[str] = Counter()
    for event in events:
        if isinstance(event, StepRan | StepRecalled | StepFailed | StepSkipped) and event.node in step_of:
            step = step_of[event.node]
            found[named(STEPS, step, _RESULTS[type(event)])] += 1
            if isinstance(event, StepRan):
                found.update(duration(named(STEP_SECONDS, step), event.seconds, STEP_BOUNDS))
    return dict(found)


def duration(name: str, seconds: float, bounds: Iterable[float]) -> dict[str, float]:
    """Count a duration: in the first bound that it does not exceed, and in the sum of all."""
    bound = next((f"{one:g}" for one in bounds if seconds <= one), BEYOND)
    return {named(name, bound): 1, named(name, SUM): max(seconds, 0.0)}


def waited(queue: str, seconds: float) -> dict[str, float]:
    """Count how long a message lay on a queue: by its class of machine and its priority."""
    _, device, priority = f"{queue}..".split(".", 3)[:3]
    return duration(named(QUEUE_WAIT, device, priority), seconds, WAIT_BOUNDS)


def named(*parts: str) -> str:
    """The name of a count."""
    return SEPARATOR.join(parts)


def pace_of(counters: Mapping[str, float]) -> dict[str, float]:
    """Step → the seconds it takes on the average, of what the farm has counted."""
    seconds: defaultdict[str, float] = defaultdict(float)
    runs: defaultdict[str, float] = defaultdict(float)
    for name, number in counters.items():
        kind, *labels = name.split(SEPARATOR)
        if kind == STEP_SECONDS and len(labels) == 2:
            step, part = labels
            (seconds if part == SUM else runs)[step] += number
    return {step: seconds[step] / runs[step] for step in runs if runs[step] > 0}
