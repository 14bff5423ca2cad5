"""What reaches the ports of a phrase: a result or what was given to it, with the edits that lie on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from quincunx_orchestrator.core.segment import Segment
from quincunx_shared import intervention as laws
from quincunx_shared.curve import curve_from_payload
from quincunx_shared.errors import BadInput
from quincunx_shared.intervention import Grid, Intervention, Operator, in_order_of_application
from quincunx_shared.names import Address, PortKey
from quincunx_shared.payload import ParamRef, Payload, decode


@dataclass(frozen=True)
class Reads:
    """The ports of one segment. `grid` says where its frames lie, in seconds from its anchor."""

    segment: Segment
    grid: Grid
    operators: Mapping[str, Operator] = field(default_factory=dict)

    def address(self, port: PortKey) -> Address | None:
        """Return the output to ask a render for; None where nothing feeds the port, or an edit stands in for it.

        What an edit replaces was never made, and must not be made for a picture.
        """
        producers = self.segment.effective.graph.producers.get(port, ())
        replaced = any(self._replaces(one) for one in self._laid_on(port))
        return Address(self.segment.id, producers[0]) if producers and not replaced else None

    def value(self, port: PortKey, results: Mapping[Address, Payload], *, frames: int = 1) -> Any:
        """Return what a port reads; None if it is not there. A curve that stands in for a value has so many frames."""
        address = self.address(port)
        value = self._given(port) if address is None else results.get(address)
        for one in self._laid_on(port):
            value = self._apply(one, value, frames)
        return value

    def _laid_on(self, port: PortKey) -> tuple[Intervention, ...]:
        producers = self.segment.effective.graph.producers.get(port, ())
        edits = self.segment.effective.interventions
        return in_order_of_application(one for one in edits if one.target in producers and one.scope in (None, port))

    def _given(self, port: PortKey) -> Payload | None:
        given = self.segment.effective.inputs.get(port)
        return None if given is None else decode(given.ref, given.content)

    def _apply(self, one: Intervention, value: Payload | None, frames: int) -> Payload | None:
        """Lay one edit on a value. One that fails leaves it as it is: the step that reads it has said so."""
        count = np.shape(value)[0] if value is not None and np.ndim(value) else frames
        try:
            operand = self._operand(one.operand, count)
            if one.kind == "override":
                return operand
            if one.kind == "custom" and (value is not None or self._replaces(one)):
                return self._merged(one, value, operand)
            if value is not None and one.kind == "offset":
                return laws.offset(value, operand)
            if value is not None and one.kind == "scale":
                return laws.scale(value, operand)
            if value is not None and one.kind == "mask":
                return laws.mask(value, operand, self._operand(one.user, count) if one.user else 0.0)
        except BadInput:
            pass
        return value

    def _replaces(self, one: Intervention) -> bool:
        known = one.kind != "custom" or one.operator in self.operators
        return known and laws.replaces_value(one, self.operators)

    def _merged(self, one: Intervention, value: Payload | None, operand: Payload | None) -> Payload | None:
        """Custom operators are other people's code, and may raise anything."""
        try:
            return laws.operator_named(one.operator, self.operators).merge(value, operand)
        except Exception as error:
            raise BadInput(f"operator {one.operator!r} raised {type(error).__name__}") from error

    def _operand(self, ref: ParamRef, count: int) -> Payload | None:
        payloads = {one.ref.digest: one for one in self.segment.effective.payloads}
        if ref.inline is None and ref.digest not in payloads:
            return None
        operand = decode(ref, payloads[ref.digest].content if ref.inline is None else ref.inline)
        if isinstance(operand, dict) and operand.keys() == {"curve"}:
            return curve_from_payload(operand["curve"]).sample(self.grid.positions(count))
        return operand
