"""Whether a worker may run a bundle: pure.

A step of another version, or on another kind of processor, would store another result under the name that was signed.
So a worker leaves such a bundle to one that fits; during an upgrade both are there.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping

from quincunx_shared.recipe import Bundle, Task


def misfit(bundle: Bundle, versions: Mapping[str, str], numeric_class: str, operators: Container[str]) -> str:
    """Return why a worker with steps of these versions, and these operators, must not run a bundle; empty if it may."""
    for task in bundle.tasks:
        step = task.step
        if step.step not in versions:
            return f"has no step {step.step!r}"
        if step.version and step.version != versions[step.step]:
            return f"has {step.step} {versions[step.step]}, not {step.version}"
        if step.numeric_class and step.numeric_class != numeric_class:
            return f"computes {step.step} as {numeric_class}, not as {step.numeric_class}"
        for name in _operators_of(task):
            if name not in operators:
                return f"has no operator {name!r}"
    return ""


def _operators_of(task: Task) -> Iterator[str]:
    """The custom operators of installed packages that are laid on what a task reads."""
    for sources in task.inputs:
        for source in sources:
            yield from (one.operator for one in source.interventions if one.kind == "custom")
