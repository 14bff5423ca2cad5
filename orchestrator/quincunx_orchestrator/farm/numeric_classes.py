"""In which numeric class the steps of a render are computed: pure, from what workers tell of themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType

from quincunx_orchestrator.embedded import this_machine
from quincunx_shared.farm.nodes import SeenNode
from quincunx_shared.farm.queues import DEVICES, Device, queues_of


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
