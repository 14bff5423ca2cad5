"""A studio whose songs are rendered by a farm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from quincunx_orchestrator.embedded import installed_steps, manifests_of, this_machine
from quincunx_orchestrator.farm.client import Submitted
from quincunx_orchestrator.farm.opening import OpenFarm
from quincunx_orchestrator.farm.remote import OnFarm
from quincunx_orchestrator.farm.submission import Submission
from quincunx_orchestrator.installed import operators
from quincunx_orchestrator.song.voices import Catalogue
from quincunx_orchestrator.studio import Studio
from quincunx_shared.farm.nodes import SeenNode
from quincunx_shared.farm.queues import DEVICES, Device, queues_of
from quincunx_shared.isolation import TRUSTING, Isolation
from quincunx_shared.names import Digest
from quincunx_shared.ports import EventLog


def studio_on(
    farm: OpenFarm,
    log: EventLog,
    catalogue: Catalogue,
    how: Submission,
    *,
    accepted: Callable[[Submitted], None] = lambda _: None,
    isolation: Isolation = TRUSTING,
) -> Studio:
    """Return a studio on a farm. `log` hears what happens there; `accepted` hears of every job that is accepted.

    Steps and voices are those installed here: what is to be done is decided here, and done there.
    """
    registry, merging = installed_steps(isolation), operators(isolation)
    files: dict[Digest, Path] = {}
    renderer = OnFarm(farm.client(), log, files, how, accepted)
    classes = numeric_classes_of(farm.nodes.seen(), farm.nodes.last_classes())
    manifests = manifests_of(registry.found)
    studio = Studio(renderer, manifests, catalogue, files, classes["cpu"], {"gpu": classes["gpu"]})
    studio.operators = merging.found
    studio.left_out = {**registry.problems, **merging.problems}
    return studio


def numeric_classes_of(nodes: list[SeenNode], last: Mapping[str, str] = MappingProxyType({})) -> dict[Device, str]:
    """Of each class of machine, the numeric class its steps are computed in: that of most workers that do its work.

    One render is of one class for each, so that its sound does not depend on who computes which phrase. Workers of the
    device itself come first: others do its work where it is missing. Where nobody does just now, it waits for workers
    like the `last` of the device: a farm may have let go of those that had no work. Without any, all is as on this
    machine.
    """
    up = [seen.node for seen in nodes if seen.node.role == "worker" and seen.state == "up" and seen.node.numeric_class]
    found: dict[Device, str] = {}
    for device in DEVICES:
        serving = [node for node in up if any(queue in node.queues for queue in queues_of([device]))]
        own = [node for node in serving if node.device == device]
        others = [] if device in last else up
        counted = Counter(node.numeric_class for node in own or serving or others for _ in range(node.slots))
        found[device] = counted.most_common(1)[0][0] if counted else last.get(device, this_machine().numeric_class)
    return found
