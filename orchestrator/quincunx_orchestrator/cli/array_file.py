"""Arrays that a person lays on a port, from NumPy's own files."""

from __future__ import annotations

import io
import math
import zipfile
from typing import Any

#: The mel of an hour. Files that say more are refused before a byte of them is unpacked.
LIMIT_BYTES = 200_000_000


def unpickled_array(raw: bytes) -> Any:
    """Return the array of a .npy, or the first of a .npz. Raises `ValueError` for whatever is wrong with the file.

    Never unpickles: an array of objects could run whatever it likes.
    """
    try:
        return _read(_unpacked(raw))
    except ValueError:
        raise
    except Exception as error:  # NumPy parses a header as Python, and whatever that says comes out
        raise ValueError(f"the file is damaged: {error}") from error


def _unpacked(raw: bytes) -> bytes:
    if not raw.startswith(b"PK"):
        return raw
    with zipfile.ZipFile(io.BytesIO(raw)) as packed:
        first = packed.infolist()[0]
        if first.file_size > LIMIT_BYTES:
            raise ValueError(f"{first.file_size / 1e6:.0f} MB are more than an array may have")
        return packed.read(first)


def _read(raw: bytes) -> Any:
    import numpy as np

    header = io.BytesIO(raw)
    version = np.lib.format.read_magic(header)
    reads = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = reads(header)
    # Asked of the header alone: the library would make room for what it promises, and only then look.
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize > len(raw):
        raise ValueError("the file is shorter than it says")
    return np.load(io.BytesIO(raw), allow_pickle=False)
