"""How this process gives memory back. Only a command decides this: a library has no say in its host's allocator."""

from __future__ import annotations

import contextlib

#: Blocks above this size come from the system and go back to it at once. Phrases are of all lengths: out of a heap,
#: each needs a gap as long as itself, and 24 songs in a row grow from 490 MB to 600 MB where 280 MB suffice.
OWN_PIECE_BYTES = 2**20

#: So much may lie unused at the heap's end.
UNUSED_BYTES = 4 * 2**20

#: Heaps to allocate from. One for every thread, as is usual, keeps what any of them ever needed.
HEAPS = 1

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8


def give_memory_back() -> None:
    """Tell the C library. glibc would otherwise raise the first limit to 32 MB by itself; elsewhere nothing happens."""
    import ctypes

    with contextlib.suppress(OSError, AttributeError, TypeError):
        library = ctypes.CDLL(None)
        library.mallopt(_MMAP_THRESHOLD, OWN_PIECE_BYTES)
        library.mallopt(_TRIM_THRESHOLD, UNUSED_BYTES)
        library.mallopt(_ARENA_MAX, HEAPS)
