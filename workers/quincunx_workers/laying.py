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
    options = call.task.step.options
    inputs = tuple(
        tuple(_laid(reading, grid_of(options, port.type), bench) for reading in readings)
        for port, readings in zip(call.step.manifest.inputs, call.inputs, strict=True)
    )
    return replace(call, inputs=inputs)


#: The options by which a step says where its frames lie.
_FRAMED = frozenset(("sample_rate", "hop_size", "head_frames"))


def grid_of(options: Mapping[str, Any], port_type: str) -> Grid | None:
    """The time grid of a consumer's input, in seconds from the anchor: samples of audio, else middles of frames.

    A step that knows nothing of frames counts its values. One that says only half of it has no grid (None): every
    guess would lay the same curve at another place for another consumer.
    """
    known = _FRAMED & options.keys()
    if not known:
        return Grid()
    if known != _FRAMED:
        return None
    sample, frame = 1 / options["sample_rate"], options["hop_size"] / options["sample_rate"]
    if port_type == "audio":
        return Grid(origin=-options["head_frames"] * frame, step=sample)
    return Grid(origin=(0.5 - options["head_frames"]) * frame, step=frame)


def _laid(reading: Reading, grid: Grid | None, bench: Workbench) -> Reading:
    if not reading.interventions:
        return reading
    value = reading.value.payload()
    for one in reading.interventions:
        value = _apply(one, value, grid, bench)
    return Reading(Held.of(value, bench.blobs))


def _apply(one: Intervention, value: Payload, grid: Grid | None, bench: Workbench) -> Payload:
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


def _operand(ref: ParamRef, value: Payload, grid: Grid | None, bench: Workbench) -> Payload:
    """Return the operand; a curve is sampled at the frames of the value it is laid on."""
    operand = Held(ref, bench.blobs).payload()
    if isinstance(operand, dict) and operand.keys() == {"curve"}:
        if grid is None:
            raise BadInput("a curve cannot be laid here: this step does not say where its frames lie in time")
        count = np.asarray(value).shape[0] if np.ndim(value) else 1
        return curve_from_payload(operand["curve"], bench.interpolations).sample(grid.positions(count))
    return operand
