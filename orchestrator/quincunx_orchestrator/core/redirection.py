"""What was given to the ports of nested nodes, moved to the ports that stand in their place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from quincunx_orchestrator.core.compiler import Compiled
from quincunx_shared.intervention import Intervention
from quincunx_shared.names import PortKey
from quincunx_shared.payload import Encoded

_Value = TypeVar("_Value")


def redirected(values: Mapping[PortKey, _Value], compiled: Compiled) -> Mapping[PortKey, _Value]:
    """Move what was given to ports of nested nodes to the ports that read it now."""
    if not compiled.entrances:
        return values
    return {one: value for key, value in values.items() for one in compiled.entrances.get(key, (key,))}


def by_target(interventions: Sequence[Intervention], compiled: Compiled) -> dict[PortKey, tuple[Intervention, ...]]:
    """Interventions by the output they lie on, with nested addresses followed to where the ports are now."""
    found: dict[PortKey, tuple[Intervention, ...]] = {}
    for one in interventions:
        target = compiled.exits.get(one.target, one.target)
        scopes = compiled.entrances.get(one.scope, (one.scope,)) if one.scope else (None,)
        for scope in scopes:
            found[target] = (*found.get(target, ()), replace(one, target=target, scope=scope))
    return found


def is_curve(payload: Encoded) -> bool:
    """Whether a payload is a curve, to be sampled where it is laid on a value."""
    return payload.ref.kind == "json" and payload.content.startswith(b'{"curve":')
