"""What is told of overrides that were drawn on other outputs than those they replace now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from quincunx_orchestrator.core.planner import DrawnOnConflict
from quincunx_orchestrator.song.assembly import Assembly


def conflict_rows(conflicts: Sequence[DrawnOnConflict], assembly: Assembly) -> list[dict[str, Any]]:
    """Return conflicts as rows of a document."""
    labels = {one.id: one.label for one in assembly.segments}
    return [
        {
            "phrase": one.drawn_on.producer.segment,
            "label": labels.get(one.drawn_on.producer.segment, ""),
            "port": str(one.drawn_on.producer.key),
            "drawn_on": one.drawn_on.digest,
            "found": one.found.digest if one.found else None,
        }
        for one in conflicts
    ]


def conflict_line(row: Mapping[str, Any]) -> str:
    """Return a conflict as a sentence."""
    now = "gives something else now" if row["found"] else "would give something else now, or is no longer known"
    return f"Conflict: the override of {row['port']} in {row['label']} was drawn on an output; the model {now}."
