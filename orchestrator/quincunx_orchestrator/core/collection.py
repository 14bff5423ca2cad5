"""Building large values without the cyclic garbage collector looking in.

Songs, bindings and plans are trees of frozen values: nothing in them refers back, so reference counts alone free
them. The collector does not know that, and walks all of them again and again while they are built; with ten
thousand phrases that takes longer than the planning itself.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause the cyclic collector, unless somebody else has done so already."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
