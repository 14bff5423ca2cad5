"""Queues: strict order, with one look in eight for those who wait longest."""

from __future__ import annotations

import random
from collections import Counter

from quincunx_shared.farm.queues import AGEING, control_queue, device_of, look_order, queues_of


def test_the_queues_of_a_device_begin_with_the_highest_priority() -> None:
    assert queues_of(["gpu"]) == ("quincunx.gpu.system", "quincunx.gpu.user", "quincunx.gpu.background")
    assert len(queues_of(["cpu", "gpu", "cpu"])) == 6


def test_whatever_is_not_for_a_gpu_runs_on_a_processor() -> None:
    assert [device_of(cluster) for cluster in ("gpu", "cpu", "default", "")] == ["gpu", "cpu", "cpu", "cpu"]


def test_looks_go_down_the_priorities_and_one_in_eight_goes_up() -> None:
    queues = list(queues_of(["cpu", "gpu"]))
    random.Random(1).shuffle(queues)
    firsts = Counter(look_order(queues, look)[0].rpartition(".")[2] for look in range(5 * AGEING))
    assert firsts == {"system": 5 * (AGEING - 1), "background": 5}
    priorities = [queue.rpartition(".")[2] for queue in look_order(queues, 0)]
    assert priorities == ["system", "system", "user", "user", "background", "background"]


def test_messages_to_a_coordinator_come_before_work() -> None:
    assert look_order(["quincunx.cpu.system", control_queue("anna")], 0)[0] == "quincunx.control.anna"
