"""What an examination of a farm finds: one line a check, with what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

#: `fault`: the farm does not work, or may lose work; `warning`: it works, and something is not as it should be.
Verdict: TypeAlias = Literal["ok", "warning", "fault", "skipped"]


@dataclass(frozen=True)
class Finding:
    """One check and its outcome. No secret is ever in it."""

    check: str
    verdict: Verdict
    what: str
    remedy: str = ""
    #: The farm could not be reached: exit code 6.
    unreachable: bool = False


def fine(check: str, what: str) -> Finding:
    """All is as it should be."""
    return Finding(check, "ok", what)


def warning(check: str, what: str, remedy: str) -> Finding:
    """It works, but."""
    return Finding(check, "warning", what, remedy)


def fault(check: str, what: str, remedy: str, *, unreachable: bool = False) -> Finding:
    """It does not work, or may lose work."""
    return Finding(check, "fault", what, remedy, unreachable)


def skipped(check: str, because: str) -> Finding:
    """It could not be looked at."""
    return Finding(check, "skipped", because)
