"""A shell on a farm: commands as a person types them, with what they print and the exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from quincunx_orchestrator.cli.main import run


@dataclass(frozen=True)
class Answer:
    """What a command left: its exit code, its standard output, its standard error."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.out)


Shell = Callable[..., Answer]


def shell_of(capsys: pytest.CaptureFixture[str]) -> Shell:
    """Run commands in this process."""

    def call(*arguments: object) -> Answer:
        capsys.readouterr()
        code = run([str(one) for one in arguments])
        told = capsys.readouterr()
        return Answer(code, told.out, told.err)

    return call
