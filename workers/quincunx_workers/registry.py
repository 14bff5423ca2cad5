"""The steps this worker has: everything installed packages offer under `quincunx.steps`, ours among them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType

from quincunx_shared.step import ENTRY_POINT_GROUP, Step


@dataclass(frozen=True)
class Registry:
    """Steps by name, and for every plug-in that could not be used the reason."""

    steps: Mapping[str, Step]
    problems: Mapping[str, str]


#: Where our own steps live. They come first, so that no package can take the place of one unnoticed.
_OURS = "quincunx_workers."


def load_steps() -> Registry:
    """Load all offered steps. A plug-in that is broken, or uses a name that is taken, is named and left out."""
    steps: dict[str, Step] = {}
    problems: dict[str, str] = {}
    offers = entry_points(group=ENTRY_POINT_GROUP)
    for entry in sorted(offers, key=lambda entry: (not entry.value.startswith(_OURS), entry.name, entry.value)):
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
    if entry.value.startswith(_OURS):
        return offered
    origin = entry.dist.name if entry.dist else entry.value
    return replace(offered, manifest=offered.manifest.model_copy(update={"origin": origin}))
