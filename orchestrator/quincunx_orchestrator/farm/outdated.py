"""Whether a bundle was signed for workers that are gone for good: pure; whoever asks brings the facts.

What a step is and what computes it is signed when a song is submitted. An order that is kept, as that of a schedule, or
submitted again, outlives upgrades: its steps are then of a version or of a class that no worker is of any more, and
would wait for ever. One that is newer than the workers waits for their upgrade.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from quincunx_shared.errors import QuincunxError
from quincunx_shared.farm.queues import device_of, queues_of
from quincunx_shared.recipe import Bundle, RecipeStep

if TYPE_CHECKING:
    from quincunx_shared.farm.nodes import Node, SeenNode

#: Workers that left may come back as they were, after a restart or when there is work for them.
RECENT_SECONDS = 3600.0

#: So long machines are waited for that may be on their way: a farm that was off, nodes that are started for the work.
COMING_SECONDS = 900.0


class Outdated(QuincunxError):
    """What was signed can never be computed."""

    def __init__(self, why: str) -> None:
        super().__init__(why, remedy="submit the song again: it is signed anew then")


def outdated(bundle: Bundle, nodes: Sequence[SeenNode], recent: Mapping[str, AbstractSet[str]]) -> str:
    """Return why no worker will ever take a bundle; empty if one may.

    `nodes` are those of the last day, silent ones among them; `recent` are the classes in which workers of each device
    computed lately.
    """
    device = device_of(bundle.cluster)
    served = set(queues_of([device]))
    workers = [one.node for one in nodes if one.node.role == "worker" and served & set(one.node.queues)]
    classes = {one.numeric_class for one in workers if one.numeric_class} | recent.get(device, set())
    for task in bundle.tasks:
        step = task.step
        if why := _too_old(step, workers):
            return why
        if step.numeric_class and classes and step.numeric_class not in classes:
            now = ", ".join(sorted(classes))
            return f"{step.step} was signed for workers that compute as {step.numeric_class}; those here do as {now}"
    return ""


def _too_old(step: RecipeStep, workers: Sequence[Node]) -> str:
    versions = {one.steps[step.step] for one in workers if step.step in one.steps}
    if not step.version or not versions or any(_number(one) <= _number(step.version) for one in versions):
        return ""
    return f"{step.step} was signed in version {step.version}; workers have {', '.join(sorted(versions))}"


def _number(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)]
