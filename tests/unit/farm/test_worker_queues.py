"""Whose work a worker takes, as it is said on its command line."""

from __future__ import annotations

import pytest

from quincunx_shared.errors import BadInput
from quincunx_shared.farm.queues import queues_of
from quincunx_workers.farm.__main__ import _parsed, main


def test_the_name_of_a_device_stands_for_its_queues() -> None:
    assert _parsed([]).queues == queues_of(["cpu"])
    assert _parsed(["--device", "gpu"]).queues == queues_of(["gpu"])
    assert _parsed(["--queues", "cpu, gpu"]).queues == queues_of(["cpu", "gpu"])
    assert _parsed(["--queues", "quincunx.cpu.user"]).queues == ("quincunx.cpu.user",)


def test_what_all_names_begin_with_may_be_left_out() -> None:
    assert _parsed(["--queues", "gpu.user,gpu.system"]).queues == ("quincunx.gpu.user", "quincunx.gpu.system")


@pytest.mark.parametrize("name", ["gpuu", "gpu.users", "quincunx.control", "CPU"])
def test_a_queue_that_nobody_fills_is_refused(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(BadInput, match=f"there is no queue '{name}'"):
        _parsed(["--queues", name])
    assert main(["--queues", f"cpu,{name}"]) == 2
    assert "one or more of cpu, gpu, cpu.system" in capsys.readouterr().err
