"""Whose work a worker takes, as it is said on its command line."""

from __future__ import annotations

from quincunx_shared.farm.queues import queues_of
from quincunx_workers.farm.__main__ import _parsed


def test_the_name_of_a_device_stands_for_its_queues() -> None:
    assert _parsed([]).queues == queues_of(["cpu"])
    assert _parsed(["--device", "gpu"]).queues == queues_of(["gpu"])
    assert _parsed(["--queues", "cpu, gpu"]).queues == queues_of(["cpu", "gpu"])
    assert _parsed(["--queues", "quincunx.cpu.user"]).queues == ("quincunx.cpu.user",)
