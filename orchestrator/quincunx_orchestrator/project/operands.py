"""What an intervention works with, as a project file holds it: an array, a curve by its points, or a plain value."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import Field, JsonValue

from quincunx_shared.errors import BadInput
from quincunx_shared.payload import Encoded, encode

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

#: Ten minutes of mel are 26 MB as float32 and 35 MB as base64, which a song file may still hold.
ARRAY_BYTES = 32_000_000

Dtype: TypeAlias = Literal["|b1", "|i1", "<i2", "<i4", "<i8", "|u1", "<u2", "<u4", "<u8", "<f2", "<f4", "<f8"]


@dataclass(frozen=True)
class Numbers:
    """An array: its bytes in little-endian C order, as base64."""

    dtype: Dtype
    shape: Annotated[tuple[Annotated[int, Field(ge=0, le=2**31)], ...], Field(max_length=8)]
    base64: str
    form: Literal["array"] = "array"

    def encoded(self) -> Encoded:
        """Return the payload. Raises `BadInput` where bytes and shape do not fit, or a number is none."""
        import numpy as np

        size = math.prod(self.shape) * np.dtype(self.dtype).itemsize
        if size > ARRAY_BYTES:
            raise BadInput(f"{size / 1e6:.0f} MB are too large an array; at most {ARRAY_BYTES / 1e6:.0f} MB are kept")
        try:
            content = base64.b64decode(self.base64, validate=True)
        except (binascii.Error, ValueError) as error:
            raise BadInput(f"this is not base64: {error}") from error
        if len(content) != size:
            raise BadInput(f"{len(content)} bytes are no array of shape {[*self.shape]} and type {self.dtype}")
        array = np.frombuffer(content, dtype=self.dtype).reshape(self.shape)
        _refuse_nonsense(array)
        return encode(array)


@dataclass(frozen=True)
class Drawn:
    """A curve, by its control points; its samples are made where it is laid on something."""

    curve: Mapping[str, JsonValue]
    form: Literal["curve"] = "curve"

    def encoded(self) -> Encoded:
        """Return the payload. Raises `BadInput` for what is no curve."""
        from quincunx_shared.curve import curve_from_payload

        curve: dict[str, Any] = {**self.curve}
        return encode({"curve": curve_from_payload(curve).to_payload()})


@dataclass(frozen=True)
class Plain:
    """A number, or any value of JSON."""

    value: JsonValue
    form: Literal["value"] = "value"

    def encoded(self) -> Encoded:
        """Return the payload."""
        return encode(self.value)


Operand: TypeAlias = Annotated[Numbers | Drawn | Plain, Field(discriminator="form")]


def numbers_of(array: npt.NDArray[Any]) -> Numbers:
    """Return an array as a project file holds it."""
    if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
        raise BadInput(f"an array of {array.dtype} cannot be laid on a port", remedy="use numbers or booleans")
    if array.nbytes > ARRAY_BYTES:
        what = f"{array.nbytes / 1e6:.0f} MB are too large an array; at most {ARRAY_BYTES / 1e6:.0f} MB are kept"
        raise BadInput(what)
    _refuse_nonsense(array)
    payload = encode(array)
    dtype: Any = payload.ref.dtype
    return Numbers(dtype, payload.ref.shape, base64.b64encode(payload.content).decode())


def _refuse_nonsense(array: np.ndarray[Any, Any]) -> None:
    import numpy as np

    if array.dtype.kind == "f" and not np.isfinite(array).all():
        place = int(np.argmin(np.isfinite(array.reshape(-1))))
        raise BadInput(f"number {place} of the array is not finite")
