"""The call of one step, as it passes through the onion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from quincunx_shared.intervention import Intervention
from quincunx_shared.names import SegmentId
from quincunx_shared.outcome import RecalledBy
from quincunx_shared.recipe import Task
from quincunx_shared.step import Step
from quincunx_workers.held import Held


@dataclass(frozen=True, slots=True)
class Reading:
    """One value a step reads, and the interventions still to be laid on it."""

    value: Held
    interventions: tuple[Intervention, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """One step about to run: whose it is, what it reads port by port, and the step itself."""

    segment: SegmentId
    task: Task
    step: Step
    inputs: tuple[tuple[Reading, ...], ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """The outputs of a call by position, whether they were recalled, and for how long the step computed."""

    outputs: tuple[Held, ...]
    recalled_by: RecalledBy | None = None
    seconds: float = 0.0


Proceed: TypeAlias = Callable[[Call], Answer]
