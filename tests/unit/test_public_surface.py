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


def test_commands_that_only_ask_about_jobs_do_not_load_what_renders() -> None:
    asked = "from quincunx_orchestrator.cli.farm import cancel, history, jobs, nodes, pause, show"
    code = f"import sys; {asked}\nfrom quincunx_orchestrator.cli.farm.opening import Desk, open_desk\n"
    code += "from quincunx_orchestrator.cli.main import run; run(['jobs', '--redis-url', 'redis://127.0.0.1:1/0',"
    code += " '--store', 'file:///nowhere']); print('redis' in sys.modules, 'numpy' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["True", "False"]
