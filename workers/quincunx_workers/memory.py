"""Memory that is free is the system's again."""

from __future__ import annotations

import ctypes
import gc
from typing import Any

#: mallopt's name of the size from which on an allocation is a mapping of its own (malloc.h of glibc).
_M_MMAP_THRESHOLD = -3

#: Small enough for a phrase's mel and every layer of a model, large enough that the mappings stay few.
_OWN_MAPPING_BYTES = 256 * 1024


def return_early() -> None:
    """From now on, give large blocks back to the system when they are freed.

    glibc keeps what a thread frees in an arena of that thread. Song by song these fill with holes of different sizes,
    and a process that renders many songs grows although nothing is kept. Costs a tenth of the time of a cold render,
    for pages that are mapped again.
    """
    library = _glibc()
    if library is not None:
        library.mallopt(_M_MMAP_THRESHOLD, _OWN_MAPPING_BYTES)


def give_back() -> None:
    """Return to the system what this process has freed, as far as its C library can."""
    gc.collect()
    library = _glibc()
    if library is not None:
        library.malloc_trim(0)


def _glibc() -> Any:
    """The C library, if it is one that can be told how to keep memory."""
    try:
        library = ctypes.CDLL(None)
        return library if library.malloc_trim and library.mallopt else None
    except (AttributeError, OSError, TypeError):  # another library, or another system
        return None
