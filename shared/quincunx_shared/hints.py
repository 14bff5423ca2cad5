"""The nearest known name, for error messages."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

#: So many names are told; a person reads no more.
_TOLD = 12


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?`, or what is known when nothing is near, or nothing when nothing is known."""
    names = sorted(known)
    near = difflib.get_close_matches(wrong, names, n=1)
    if near:
        return f"; did you mean {near[0]!r}?"
    more = f" and {len(names) - _TOLD} more" if len(names) > _TOLD else ""
    return f"; known: {', '.join(names[:_TOLD])}{more}" if names else ""
