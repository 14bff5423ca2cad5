"""The steps this worker has: everything installed packages offer under `quincunx.steps`, ours among them."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import EntryPoint
from types import MappingProxyType

from quincunx_shared.isolation import TRUSTING, Isolation
from quincunx_shared.plugins import Plugins, loaded, offers_of, package_of
from quincunx_shared.step import ENTRY_POINT_GROUP, Step
from quincunx_workers.isolation import isolated_step

#: Where our own steps live. They come first, so that no package can take the place of one unnoticed.
_OURS = "quincunx_workers."


def load_steps(isolation: Isolation = TRUSTING) -> Plugins[Step]:
    """Load all offered steps. A plug-in that is broken, or uses a name that is taken, is named and left out.

    The code of isolated packages is never imported here: a process of its own tells the manifest.
    """
    steps: dict[str, Step] = {}
    problems: dict[str, str] = {}
    for offer in sorted(offers_of(ENTRY_POINT_GROUP), key=lambda offer: not _is_ours(offer)):
        step, problem = _step_of(offer, isolation)
        if step is not None and step.manifest.name in steps:
            problem = f"{offer.value} offers the step {step.manifest.name!r}, which is there already"
        if problem:
            problems[f"{package_of(offer)}: {offer.name}"] = problem
        elif step is not None:
            steps[step.manifest.name] = step
    origins = {name: step.manifest.origin for name, step in steps.items() if step.manifest.origin}
    return Plugins(MappingProxyType(steps), MappingProxyType(origins), MappingProxyType(problems))


def _is_ours(offer: EntryPoint) -> bool:
    return offer.value.startswith(_OURS)


def _step_of(offer: EntryPoint, isolation: Isolation) -> tuple[Step | None, str]:
    if not _is_ours(offer) and isolation.covers(package_of(offer)):
        step, problem = isolated_step(offer.value, isolation)
    else:
        thing, problem = loaded(offer, _no_step)
        step = thing if isinstance(thing, Step) else None
    if problem or step is None:
        return None, problem
    if _is_ours(offer):
        return step, ""
    return replace(step, manifest=step.manifest.model_copy(update={"origin": package_of(offer)})), ""


def _no_step(thing: object) -> str:
    return "" if isinstance(thing, Step) else f"is not a Step but {type(thing).__name__}"
