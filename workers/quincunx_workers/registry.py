"""The steps this worker has: everything installed packages offer under `quincunx.steps`, ours among them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType

from quincunx_shared.step import ENTRY_POINT_GROUP, Step


@dataclass(frozen=True)
class Registry:
    """Steps by name, and for every plug-in that could not be used the reason."""

    steps: Mapping[str, Step]
    problems: Mapping[str, str]


def load_steps() -> Registry:
    """Load all offered steps. A broken plug-in is named and left out; the rest works."""
    steps: dict[str, Step] = {}
    problems: dict[str, str] = {}
    for entry in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda entry: entry.name):
        offered = _load(entry)
        if isinstance(offered, str):
            problems[entry.name] = offered
        elif offered.manifest.name in steps:
            problems[entry.name] = f"{entry.value} offers the step {offered.manifest.name!r}, which is there already"
        else:
            steps[offered.manifest.name] = offered
    return Registry(MappingProxyType(steps), MappingProxyType(problems))


def _load(entry: EntryPoint) -> Step | str:
    try:
        offered = entry.load()
    except Exception as error:  # a plug-in may fail in any way; its failure must not become ours
        return f"{entry.value} cannot be imported: {type(error).__name__}: {error}"
    if not isinstance(offered, Step):
        return f"{entry.value} is not a Step but {type(offered).__name__}"
    return offered
