"""Jobs that run at set times: when a schedule is due next. Pure; the time comes from the caller.

A schedule says when in one of two forms, both in its zone:

    30 3 * * mon-fri      cron: minute, hour, day of month, month, day of week; six fields begin with a second
    2026-12-01T03:30      once
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from quincunx_orchestrator.farm.submission import Accepted
from quincunx_shared.canonical import digest_of
from quincunx_shared.errors import BadInput
from quincunx_shared.names import RenderId

#: A name is part of keys and of documents.
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}")

_FORMS = "write five fields of cron, `30 3 * * mon-fri`, or a time, `2026-12-01T03:30`"


@dataclass(frozen=True)
class Schedule:
    """A job to submit at set times. `job` tells what; each run gets a render of its own."""

    name: str
    when: str
    job: Accepted
    zone: str = "UTC"

    @property
    def once(self) -> bool:
        """Whether it is over after one run."""
        return _moment(self.when) is not None


def checked(schedule: Schedule, now: float) -> float:
    """Return when a new schedule is due first, in seconds since 1970. Raises `BadInput` for one that cannot be."""
    if not _NAME.fullmatch(schedule.name):
        allowed = "1 to 64 of letters, digits, `.`, `_` and `-`, and no `.` first"
        raise BadInput(f"{schedule.name!r} is no name of a schedule", where="name", remedy=f"use {allowed}")
    due = next_due(schedule.when, schedule.zone, now)
    if due is None:
        raise BadInput(f"{schedule.when!r} never comes", where="when", remedy="give a time that lies ahead")
    return due


def next_due(when: str, zone: str, after: float) -> float | None:
    """Return the next time after this one, never the same second again; None if there is none. Raises `BadInput`."""
    there = _zone(zone)
    once = _moment(when)
    if once is not None:
        at = int((once if once.tzinfo else once.replace(tzinfo=there)).timestamp())
        return at if at > after else None
    return _next_of_cron(when, datetime.fromtimestamp(int(after), there))


def render_of(schedule: Schedule, due: float) -> RenderId:
    """The render of one run: the same for everybody who submits it, so that it is accepted once."""
    return RenderId(digest_of(["schedule", schedule.name, schedule.job.render, int(due)])[:32])


def _next_of_cron(expression: str, after: datetime) -> float | None:
    from cronsim import CronSim, CronSimError

    try:
        # Where clocks are set back, the second of two equal hours is told the time in the first.
        coming = (moment.timestamp() for moment in CronSim(expression, after))
        return next(due for due in coming if due > after.timestamp())
    except CronSimError as error:
        raise BadInput(f"{expression!r} is no time of a schedule: {error}", where="when", remedy=_FORMS) from error
    except StopIteration:
        return None


def _moment(when: str) -> datetime | None:
    try:
        return datetime.fromisoformat(when)
    except ValueError:
        return None


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC  # known on machines without a table of zones, too
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError) as error:
        remedy = "write it as Europe/Paris or UTC"
        raise BadInput(f"{name!r} is no time zone known here", where="zone", remedy=remedy) from error
