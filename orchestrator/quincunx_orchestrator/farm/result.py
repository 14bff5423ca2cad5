"""What a farm's render came to, in bytes: where its targets lie, and what became of every step that was asked for."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from quincunx_orchestrator.core.planner import StepKey
from quincunx_orchestrator.render_result import RenderResult, State, steps_by_state
from quincunx_shared.farm.wire import BadMessage, dump, exports_from_wire, exports_to_wire
from quincunx_shared.names import Address, SegmentId
from quincunx_shared.payload import ParamRef


@dataclass(frozen=True)
class FarmResult:
    """`targets` are those that could be made, where they are made; the rest is as in a `RenderResult`."""

    state: State
    targets: Mapping[Address, ParamRef] = field(default_factory=dict)
    ran: Mapping[StepKey, str] = field(default_factory=dict)
    recalled: Mapping[StepKey, str] = field(default_factory=dict)
    failed: Mapping[StepKey, str] = field(default_factory=dict)
    skipped: Mapping[StepKey, str] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)


def farm_result(result: RenderResult, targets: Mapping[Address, ParamRef]) -> FarmResult:
    """Keep of a render what others than the coordinator may ask for."""
    return FarmResult(
        result.state, targets, result.ran, result.recalled, result.failed, result.skipped, steps_by_state(result)
    )


def result_to_bytes(result: FarmResult) -> bytes:
    """Write a result."""
    steps = [_steps_to_wire(one) for one in (result.ran, result.recalled, result.failed, result.skipped)]
    return zlib.compress(dump([result.state, exports_to_wire(result.targets), steps, dict(result.counts)]), level=1)


def result_from_bytes(content: bytes) -> FarmResult:
    """Read what `result_to_bytes` wrote, or raise `BadMessage`."""
    try:
        state, targets, steps, counts = json.loads(zlib.decompress(content))
        ran, recalled, failed, skipped = map(_steps_from_wire, steps)
        return FarmResult(state, exports_from_wire(targets), ran, recalled, failed, skipped, counts)
    except (ValueError, TypeError, KeyError, zlib.error) as error:
        raise BadMessage(f"a result cannot be read: {type(error).__name__}: {error}") from error


def _steps_to_wire(steps: Mapping[StepKey, str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for (segment, node), told in steps.items():
        found.setdefault(segment, {})[node] = told
    return found


def _steps_from_wire(told: Mapping[str, Mapping[str, Any]]) -> dict[StepKey, str]:
    return {(SegmentId(segment), node): text for segment, nodes in told.items() for node, text in nodes.items()}
