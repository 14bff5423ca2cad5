"""The name of the processor in the numeric class."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from pathlib import Path

import pytest

from quincunx_shared.errors import QuincunxError
from quincunx_workers.processor import cpu_family, gpu_family


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    gpu_family.cache_clear()
    yield
    gpu_family.cache_clear()


def test_a_processor_has_a_name_without_spaces() -> None:
    assert cpu_family().startswith(platform.machine())
    assert " " not in cpu_family()


def test_the_gpus_are_named_once_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = tmp_path / "nvidia-smi"
    command.write_text("#!/bin/sh\necho NVIDIA H200\necho NVIDIA A10\necho NVIDIA H200\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert gpu_family() == "NVIDIA_A10-NVIDIA_H200"


def test_a_gpu_that_nobody_can_name_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(QuincunxError, match="nvidia-smi"):
        gpu_family()
