"""How the commands of a farm write ids, ages and tables."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

#: As much of an id as a person types; any beginning that fits one job alone will do.
SHORT = 8


def short(render: str) -> str:
    """The part of an id that is shown."""
    return render[:SHORT]


def ago(moment: float | None, now: float | None = None) -> str:
    """How long ago something was, in the largest fitting unit; "–" if it was not."""
    if not moment:
        return "–"
    return f"{span((time.time() if now is None else now) - moment)} ago"


def span(seconds: float) -> str:
    """A length of time, such as 0.4 s, 12 s, 3 min, 2 h, 5 d."""
    seconds = max(seconds, 0.0)
    for unit, name in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"


def moment_text(moment: float | None) -> str | None:
    """A moment as ISO 8601 in UTC, for documents."""
    return None if not moment else datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines of a table with aligned columns, the last of them as long as it likes."""
    whole = [heads, *rows]
    widths = [max(len(row[place]) for row in whole) for place in range(len(heads))]
    lines = ("  ".join(f"{text:{width}}" for text, width in zip(row, widths, strict=True)) for row in whole)
    return [line.rstrip() for line in lines]


def counted(count: int, one: str) -> str:
    """`1 step`, `3 steps`."""
    return f"{count} {one}{'' if count == 1 else 's'}"
