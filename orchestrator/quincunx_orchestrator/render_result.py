"""What came of a render: what ran, what was recalled, what failed, and the payloads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from quincunx_orchestrator.core.planner import DrawnOnConflict, Plan, StepKey
from quincunx_shared.names import Address, RenderId
from quincunx_shared.payload import Payload

State: TypeAlias = Literal["succeeded", "partial", "failed"]


@dataclass
class RenderResult:
    """What a render did. `payloads` are the targets' values; a target that could not be made is absent.

    `ran` and `recalled` say of every step that was asked for what became of it; `plan` is the first plan made.
    `conflicts` are the overrides drawn on outputs that are others now, those made in this render included.
    """

    id: RenderId
    plan: Plan
    state: State = "succeeded"
    ran: dict[StepKey, str] = field(default_factory=dict)
    recalled: dict[StepKey, str] = field(default_factory=dict)
    failed: dict[StepKey, str] = field(default_factory=dict)
    skipped: dict[StepKey, str] = field(default_factory=dict)
    payloads: dict[Address, Payload] = field(default_factory=dict)
    conflicts: tuple[DrawnOnConflict, ...] = ()


def final_state(result: RenderResult, targets: Sequence[Address]) -> State:
    """How a render ended, once its payloads are there."""
    if any(target not in result.payloads for target in targets):
        return "failed"
    return "partial" if result.failed else "succeeded"


def steps_by_state(result: RenderResult) -> Mapping[str, int]:
    """How many steps ran, were recalled (or lie behind something recalled), failed and were skipped."""
    recalled = set(result.recalled) - set(result.ran)
    return {
        "run": len(result.ran),
        "recalled": len(recalled) + result.plan.covered,
        "failed": len(result.failed),
        "skipped": len(result.skipped),
    }
