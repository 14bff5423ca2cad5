"""What is different between two orders: phrases that one has alone, and steps that compute something else. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from quincunx_orchestrator.farm.order import Order
from quincunx_orchestrator.farm.order_rows import OrderedSegment, OrderedStep
from quincunx_shared.names import SegmentId


@dataclass(frozen=True)
class OrderDiff:
    """Phrases by name; of those that both have, steps whose signature differs, with what of them does."""

    only_first: tuple[SegmentId, ...] = ()
    only_second: tuple[SegmentId, ...] = ()
    changed: Mapping[SegmentId, Mapping[str, str]] = field(default_factory=dict)
    same: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether both orders compute the same."""
        return not (self.only_first or self.only_second or self.changed)


def diff_orders(first: Order, second: Order) -> OrderDiff:
    """Compare two orders by what their steps compute."""
    one, two = first.song.segments, second.song.segments
    changed = {name: steps for name in one if name in two and (steps := _changed(one[name], two[name]))}
    same = sum(len(one[name].steps) for name in one if name in two) - sum(map(len, changed.values()))
    return OrderDiff(
        tuple(name for name in one if name not in two),
        tuple(name for name in two if name not in one),
        changed,
        same,
    )


def _changed(one: OrderedSegment, two: OrderedSegment) -> dict[str, str]:
    nodes = dict.fromkeys((*one.steps, *two.steps))
    found = ((node, _difference(one.steps.get(node), two.steps.get(node))) for node in nodes)
    return {node: told for node, told in found if told}


def _difference(one: OrderedStep | None, two: OrderedStep | None) -> str:
    """Say what of a step is different; empty if it computes the same."""
    if one is None or two is None:
        return "only in the second" if one is None else "only in the first"
    if one.signature == two.signature:
        return ""
    if one.step.step != two.step.step:
        return f"{one.step.step} → {two.step.step}"
    if one.step.version != two.step.version:
        return f"version {one.step.version} → {two.step.version}"
    if one.step.numeric_class != two.step.numeric_class:
        return f"computed as {one.step.numeric_class} → {two.step.numeric_class}"
    options = {**one.step.options, **two.step.options}
    told = [
        f"{name} {_short(one.step.options.get(name))} → {_short(two.step.options.get(name))}"
        for name in options
        if one.step.options.get(name) != two.step.options.get(name)
    ]
    if told:
        return ", ".join(told)
    own = [feed.port for feed, a, b in zip(one.step.feeds, one.sources, two.sources, strict=False) if a != b]
    return f"input {', '.join(own)}" if own else "what feeds it"


def _short(value: object) -> str:
    text = str(value)
    return f"{text[:12]}…" if len(text) > 16 else text
