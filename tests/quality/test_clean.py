"""The bar every file passes: style, types, and the rules of who may import whom."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


@pytest.mark.parametrize(
    "tool",
    [
        pytest.param(("ruff", "check", "."), id="ruff finds nothing"),
        pytest.param(("ruff", "format", "--check", "."), id="every file is formatted"),
        pytest.param(("mypy",), id="types hold, strictly"),
        pytest.param(("lint-imports",), id="nobody imports what they must not"),
    ],
)
def test_the_tool_is_content(tool: tuple[str, ...]) -> None:
    ran = subprocess.run([BIN / tool[0], *tool[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"


def test_no_file_names_where_packages_come_from() -> None:
    """Pins hold names and versions; addresses belong to each person's own settings."""
    pins = (ROOT / "deploy" / "pins" / "dev.txt").read_text()
    assert "://" not in pins
    assert "--index" not in pins
