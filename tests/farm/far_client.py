"""A client on another machine: renders a song of the proof's steps, and tells what it heard.

python -m tests.farm.far_client PHRASES SECONDS TRACE
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

from tests.farm.proof_songs import STAGED, TARGET, ProofSong
from tests.farm.real_farm import NearClient

from quincunx_orchestrator.farm.opening import open_farm
from quincunx_shared.farm.settings_layers import load_settings


def main(phrases: int, seconds: float, trace: Path) -> None:
    """Render it twice."""
    song = ProofSong(phrases, trace=trace, seconds=seconds, colours=STAGED)
    with open_farm(load_settings().settings) as farm:
        near = NearClient(farm)
        first, again = near.render(song), near.render(song)
    sound = hashlib.sha256(first.payloads[TARGET].tobytes()).hexdigest()
    print(json.dumps({"state": first.state, "ran": len(first.ran), "again": len(again.ran), "sound": sound}))


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3]))
