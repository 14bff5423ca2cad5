"""What authors of steps import is there, under the names that are promised."""

from __future__ import annotations

import subprocess
import sys

import pytest

import quincunx_shared


@pytest.mark.parametrize("name", quincunx_shared.__all__)
def test_every_promised_name_is_there(name: str) -> None:
    assert getattr(quincunx_shared, name) is not None


def test_a_name_nobody_promised_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="Stepp"):
        quincunx_shared.Stepp  # noqa: B018


def test_importing_the_command_line_imports_nothing_heavy() -> None:
    heavy = "{'numpy', 'pydantic', 'onnxruntime', 'rich'}"
    code = f"import sys, quincunx_orchestrator.cli.main; print(*{heavy} & {{*sys.modules}})"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == []
