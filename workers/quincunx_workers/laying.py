"""Laying interventions on the values a step reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from quincunx_shared import intervention as laws
from quincunx_shared.curve import curve_from_payload
from quincunx_shared.errors import BadInput, QuincunxError
from quincunx_shared.intervention import Grid, Intervention
from quincunx_shared.payload import ParamRef, Payload
from quincunx_workers.call import Call, Reading
from quincunx_workers.held import Held
from quincunx_workers.workbench import Workbench


def lay_interventions(call: Call, bench: Workbench) -> Call:
    """Return the call with every intervention applied and none left."""
    if not any(reading.interventions for readings in call.inputs for reading in readings):
        return call
    grid = grid_of(call.task.step.options)
    inputs = tuple(tuple(_laid(reading, grid, bench) for reading in readings) for readings in call.inputs)
    return replace(call, inputs=inputs)


def grid_of(options: Mapping[str, Any]) -> Grid:
    """The consumer's time grid in seconds from the anchor, if it works in frames; else plain sample numbers."""
    if not {"sample_rate", "hop_size", "head_frames"} <= options.keys():
        return Grid()
    step = options["hop_size"] / options["sample_rate"]
    return Grid(origin=(0.5 - options["head_frames"]) * step, step=step)


def _laid(reading: Reading, grid: Grid, bench: Workbench) -> Reading:
    if not reading.interventions:
        return reading
    value = reading.value.payload()
    for one in reading.interventions:
        value = _apply(one, value, grid, bench)
    return Reading(Held.of(value, bench.blobs))


def _apply(one: Intervention, value: Payload, grid: Grid, bench: Workbench) -> Payload:
    try:
        operand = _operand(one.operand, value, grid, bench)
        if one.kind == "override":
            return operand
        if one.kind == "offset":
            return laws.offset(value, operand)
        if one.kind == "scale":
            return laws.scale(value, operand)
        if one.kind == "mask":
            user = _operand(one.user, value, grid, bench) if one.user else 0.0
            return laws.mask(value, operand, user)
        return _merged(laws.operator_named(one.operator, bench.operators), one.operator, value, operand)
    except BadInput as error:
        raise BadInput(error.what, where=f"{one.kind} on {one.target}", remedy=error.remedy) from error


def _merged(operator: laws.Operator, name: str, value: Payload, operand: Payload) -> Payload:
    """Custom operators are other people's code: whatever they raise becomes an error that names them."""
    try:
        return operator.merge(value, operand)
    except QuincunxError:
        raise
    except Exception as error:
        raise BadInput(f"operator {name!r} raised {type(error).__name__}: {error}") from error


def _operand(ref: ParamRef, value: Payload, grid: Grid, bench: Workbench) -> Payload:
    """Return the operand; a curve is sampled at the frames of the value it is laid on."""
    operand = Held(ref, bench.blobs).payload()
    if isinstance(operand, dict) and operand.keys() == {"curve"}:
        count = np.asarray(value).shape[0] if np.ndim(value) else 1
        return curve_from_payload(operand["curve"]).sample(grid.positions(count))
    return operand
