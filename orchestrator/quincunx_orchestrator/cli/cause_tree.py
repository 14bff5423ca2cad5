"""Which steps run and why, as a tree a person can read: each step below the one whose change it follows from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from quincunx_orchestrator.core.plannable import PlannableStep
from quincunx_orchestrator.core.planner import StepKey
from quincunx_shared.names import SegmentId


def tree_lines(steps: Mapping[str, PlannableStep], segment: SegmentId, reasons: Mapping[StepKey, str]) -> list[str]:
    """Return a line for each step of a segment that runs, in the order of its graph."""
    own = {node: reason for (owner, node), reason in reasons.items() if owner == segment}
    return list(_drawn(_children(steps, segment, own), "", "", own))


def _children(
    steps: Mapping[str, PlannableStep], segment: SegmentId, reasons: Mapping[str, str]
) -> Mapping[str, Sequence[str]]:
    """Hang each step below the deepest of those that feed it and run themselves; `""` is above all."""
    depth: dict[str, int] = {"": 0}
    children: dict[str, list[str]] = {"": []}
    for node, step in steps.items():
        if node not in reasons:
            continue
        feeders = (one.address for sources in step.sources for one in sources if one.address)
        running = [one.key.node for one in feeders if one.segment == segment and one.key.node in depth]
        above = max(running, key=lambda name: depth[name], default="")
        depth[node] = depth[above] + 1
        children[above].append(node)
        children[node] = []
    return children


def _drawn(children: Mapping[str, Sequence[str]], node: str, indent: str, reasons: Mapping[str, str]) -> Iterator[str]:
    for place, child in enumerate(children[node], 1):
        last = place == len(children[node])
        yield f"{indent}{'└' if last else '├'} {child}: {reasons[child]}"
        yield from _drawn(children, child, indent + ("  " if last else "│ "), reasons)
