"""Uses the example package through the library, in a process that has it on its path; prints what came of it.

python tests/scenario/plugin_desk.py CASE FOLDER [SECONDS]
"""

from __future__ import annotations

import hashlib
import json
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from quincunx_orchestrator.core.graph import connect, node_of
from quincunx_orchestrator.core.operations import AddEdge, AddNode, Batch, Intervene, Operation, RemoveEdge
from quincunx_orchestrator.score.readers import read_score
from quincunx_orchestrator.song.assembly import Assembly
from quincunx_orchestrator.song.voices import find_voices
from quincunx_orchestrator.studio import Studio, StudioSettings, open_studio
from quincunx_shared.events import StepProgressed
from quincunx_shared.intervention import Intervention
from quincunx_shared.isolation import ALL, TRUSTING, Isolation
from quincunx_shared.names import PortKey
from quincunx_shared.payload import Payload, encode
from quincunx_shared.stores.cache_folder import open_cache
from quincunx_shared.stores.memory import MemoryEventLog


def insert(studio: Studio, name: str) -> Operation:
    """Put a step between the vocoder and the post step."""
    return Batch(
        (
            AddNode(node_of(studio.manifests[name], options={"db": -6.0} if name == "gain" else {})),
            RemoveEdge(connect("vocoder.audio", "post.audio")),
            AddEdge(connect("vocoder.audio", f"{name}.audio")),
            AddEdge(connect(f"{name}.audio", "post.audio")),
        )
    )


def lay(kind: str, payload: Payload, operator: str = "") -> Operation:
    """Lay something on the pitch."""
    operand = encode(payload)
    return Intervene(Intervention(PortKey("pitch", "f0"), kind, operand.ref, operator=operator), (operand,))  # type: ignore[arg-type]


def edit(case: str, studio: Studio) -> Operation | None:
    """The edit of a case; `plain` is none."""
    if case == "operator":
        return lay("custom", 500.0, "louder")
    if case == "interpolation":
        curve = {"points": [[0.0, 0.0], [1.0, 60.0]], "interpolation": "smooth"}
        return lay("offset", {"curve": curve})
    return None if case == "plain" else insert(studio, case)


def run(case: str, folder: Path, isolation: Isolation) -> dict[str, Any]:
    """Render the song with one phrase edited."""
    log = MemoryEventLog()
    settings = StudioSettings(isolation=isolation)
    with closing(open_cache(folder / "cache")) as cache, open_studio(cache, log, find_voices([]), settings) as studio:
        song = studio.assemble(read_score("song.ustx", (folder / "song.ustx").read_bytes()))
        if (operation := edit(case, studio)) is not None:
            song = song.with_segment(song.placed[0].segment.with_operation(operation))
        return told(studio, song, log)


def told(studio: Studio, song: Assembly, log: MemoryEventLog) -> dict[str, Any]:
    """Render, and say what happened in words that JSON has."""
    result = studio.render(song)
    sound = result.payloads.get(song.targets[0], b"")
    return {
        "state": result.state,
        "sound": hashlib.sha256(sound).hexdigest(),
        "ran": sorted({node for _, node in result.ran}),
        "failed": {node: error for (_, node), error in result.failed.items()},
        "reports": [one.text for one in log.since(0) if isinstance(one, StepProgressed)],
        "imported": sorted(name for name in sys.modules if name.startswith("quincunx_example")),
        "left_out": dict(studio.left_out),
    }


if __name__ == "__main__":
    apart = Isolation(frozenset({ALL}), float(sys.argv[3]), 2_000_000_000) if len(sys.argv) > 3 else TRUSTING
    print(json.dumps(run(sys.argv[1], Path(sys.argv[2]), apart)))
