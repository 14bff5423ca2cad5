"""Interventions: data from outside laid on the value of a port, on its way to those who read it.

An intervention sits on an output port. Without a scope it applies for all consumers; with one, on the single edge
to that consumer. Whoever produces the value never knows of it: its signature stays the same, and only what reads
the value is computed again.

Kinds are independent and are always applied in this order, whatever the order of the edits: override, offset,
scale, mask, then custom operators by name. The offset applies to the overridden value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from quincunx_shared.canonical import Json
from quincunx_shared.errors import BadInput
from quincunx_shared.hints import did_you_mean
from quincunx_shared.names import Digest, PortKey
from quincunx_shared.payload import ParamRef, Payload

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Array: TypeAlias = npt.NDArray[Any]

InterventionKind: TypeAlias = Literal["override", "offset", "scale", "mask", "custom"]

KIND_ORDER: tuple[InterventionKind, ...] = ("override", "offset", "scale", "mask", "custom")


@dataclass(frozen=True, slots=True)
class Grid:
    """Where on the curve's axis the samples of a value lie: sample k is at `origin + k * step`."""

    origin: float = 0.0
    step: float = 1.0

    def positions(self, count: int) -> npt.NDArray[np.float64]:
        """The first `count` positions: float64[count]."""
        import numpy as np

        return self.origin + np.arange(count, dtype=np.float64) * self.step


@dataclass(frozen=True, slots=True)
class Intervention:
    """One intervention as data.

    `operand` is what the kind works with: the new value, the addend, the factor, or for a mask the mask (0..1 a
    frame) with the person's value in `user`. Each is a payload by reference; a JSON object `{"curve": …}` is a
    curve to be sampled on the consumer's grid. `operator` names a custom operator. `drawn_on` is the digest of the
    output an override was drawn on, so that a changed output can be reported instead of painted over.
    """

    target: PortKey
    kind: InterventionKind
    operand: ParamRef
    user: ParamRef | None = None
    operator: str = ""
    scope: PortKey | None = None
    drawn_on: Digest | None = None

    def identity(self) -> Json:
        """Return what enters the signatures of the consumers."""
        user = self.user.identity() if self.user else None
        return [self.kind, self.operator, self.operand.identity(), user]


@dataclass(frozen=True, slots=True)
class Operator:
    """A custom operator: `merge(inner, own)` gives the new value.

    `short_circuits` says that the inner value is not used at all: like an override, the operator spares the
    producer, and `inner` is None. Signatures hold the operator's name alone: a merge that changes needs a new name.
    """

    merge: Callable[[Payload, Payload], Payload]
    short_circuits: bool = False


def in_order_of_application(interventions: Iterable[Intervention]) -> tuple[Intervention, ...]:
    """Sort by kind, then port scope before edge scope (the closer one has the last word), then operator.

    Between interventions that never meet, addresses decide, so that the order of the edits leaves no trace.
    """
    rank = {kind: place for place, kind in enumerate(KIND_ORDER)}

    def place(one: Intervention) -> tuple[int, bool, str, PortKey, PortKey]:
        return (rank[one.kind], one.scope is not None, one.operator, one.target, one.scope or one.target)

    return tuple(sorted(interventions, key=place))


def replaces_value(intervention: Intervention, operators: Mapping[str, Operator]) -> bool:
    """Whether the intervention makes the producer's value unnecessary."""
    if intervention.kind == "custom":
        return operator_named(intervention.operator, operators).short_circuits
    return intervention.kind == "override"


def operator_named(name: str, operators: Mapping[str, Operator]) -> Operator:
    """Return the operator, or name the nearest one there is."""
    if name not in operators:
        raise BadInput(f"unknown operator {name!r}{did_you_mean(name, operators)}")
    return operators[name]


def offset(model: Payload, addend: Payload) -> Array:
    """`model + addend`, in the model's dtype."""
    return _arithmetic(model, lambda value: value + _like_frames(value, addend))


def scale(model: Payload, factor: Payload) -> Array:
    """`model * factor`, in the model's dtype."""
    return _arithmetic(model, lambda value: value * _like_frames(value, factor))


def mask(model: Payload, weight: Payload, user: Payload) -> Array:
    """`weight * user + (1 - weight) * model` a frame, in the model's dtype."""

    def blend(value: Array) -> Array:
        m = _like_frames(value, weight)
        blended: Array = m * _like_frames(value, user) + (1 - m) * value
        return blended

    return _arithmetic(model, blend)


def _arithmetic(model: Payload, formula: Callable[[Array], Array]) -> Array:
    """Compute in float64, so that the result does not depend on which operand came as float32."""
    import numpy as np

    value = np.asarray(model)
    if value.dtype.kind not in "iuf":
        raise BadInput("this port carries no numbers, so nothing can be added to or multiplied with it")
    result = formula(value.astype(np.float64))
    if result.shape != value.shape:
        raise BadInput(f"the operand does not fit: the value has shape {value.shape}, the result {result.shape}")
    return result.astype(value.dtype if value.dtype.kind == "f" else np.float64)


def _like_frames(value: Array, operand: Payload) -> Array:
    """Let one number a frame act on every bin of the frame (mel is [T, bins])."""
    import numpy as np

    try:
        array: Array = np.asarray(operand, dtype=np.float64)
    except (TypeError, ValueError):
        raise BadInput(f"the operand is {type(operand).__name__}, not numbers") from None
    if array.ndim == 1 and value.ndim > 1 and array.shape[0] == value.shape[0]:
        array = array.reshape(array.shape + (1,) * (value.ndim - 1))
    try:
        np.broadcast_shapes(value.shape, array.shape)
    except ValueError:
        message = f"the operand does not fit: {array.shape} numbers over a value of shape {value.shape}"
        raise BadInput(message) from None
    return array
