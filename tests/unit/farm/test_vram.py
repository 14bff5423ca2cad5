"""The memory of a device, where there is one."""

from __future__ import annotations

from typing import Any

from quincunx_workers.farm.vram import Vram


def test_without_a_driver_nothing_is_told() -> None:
    assert Vram().gauges() == {}


def test_what_the_driver_says_is_told() -> None:
    class Driver:
        def nvmlDeviceGetMemoryInfo(self, _device: Any, memory: Any) -> int:  # noqa: N802 - the library's name
            memory._obj.total, memory._obj.used = 80 * 2**30, 3 * 2**30
            return 0

    assert Vram(Driver(), None).gauges() == {"vram_used_bytes": 3.0 * 2**30, "vram_total_bytes": 80.0 * 2**30}


def test_a_driver_that_fails_is_asked_again_another_time() -> None:
    class Driver:
        def nvmlDeviceGetMemoryInfo(self, _device: Any, _memory: Any) -> int:  # noqa: N802
            return 15

    assert Vram(Driver(), None).gauges() == {}
