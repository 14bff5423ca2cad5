"""`quincunx schedule`: jobs that the farm submits to itself at set times."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from quincunx_orchestrator.cli.documents import answer, json_option
from quincunx_orchestrator.cli.farm.options import FLAGS, farm_options
from quincunx_orchestrator.cli.farm.priority import CLASSES
from quincunx_orchestrator.cli.help_sections import SectionedCommand
from quincunx_orchestrator.cli.shared_options import Choices, song_options
from quincunx_orchestrator.cli.workspace import cache_dir_option

if TYPE_CHECKING:
    from quincunx_orchestrator.farm.schedule_store import Planned


@click.group("schedule", short_help="Render at set times.")
def command() -> None:
    """Jobs that the farm submits to itself, once or again and again, while some coordinator runs."""


@command.command("add", cls=SectionedCommand, short_help="Render a song at set times.")
@click.argument("song", type=click.Path(path_type=Path))
@click.argument("when")
@click.option("--name", default="", help="Its name; one of the same name is replaced.  [default: the file's name]")
@click.option("--zone", default="UTC", show_default=True, help="The time zone of WHEN, such as Europe/Paris.")
@click.option("--priority", type=click.Choice(CLASSES), default="background", show_default=True)
@click.option("--tag", "tags", multiple=True, help="A word to find it by. May be given several times.")
@song_options
@cache_dir_option
@farm_options
def add(song: Path, when: str, name: str, zone: str, cache_dir: Path | None, **given: Any) -> None:
    """Have SONG rendered as it is now, at WHEN: `30 3 * * mon-fri` (cron), or once, at `2026-12-01T03:30`.

    What was missed while no coordinator ran is rendered once. `quincunx history` shows what came of it.
    """
    from quincunx_orchestrator.cli.farm.scheduling import Wanted, add_schedule

    how, flags = ({key: given.pop(key) for key in keys} for keys in (("priority", "tags"), FLAGS))
    wanted = Wanted(song, when, name or song.stem, zone, how["priority"], how["tags"])
    due = add_schedule(wanted, Choices(**given), cache_dir, flags)
    document = {"name": wanted.name, "when": when, "zone": zone, "next": _moment(due)}
    answer(document, f"{wanted.name} is rendered at {_moment(due)}.", as_json=given["as_json"])


@command.command("list", short_help="List the schedules.")
@json_option
@farm_options
def list_all(as_json: bool, **flags: str | None) -> None:
    """List the schedules, the next first."""
    from quincunx_orchestrator.cli.farm.job_rows import song_name
    from quincunx_orchestrator.cli.farm.scheduling import open_schedules
    from quincunx_orchestrator.cli.farm.words import table

    with open_schedules(flags) as schedules:
        rows = [_row(one) for one in schedules.all()]
    if as_json:
        click.echo(json.dumps({"schema": 1, "schedules": rows}, ensure_ascii=False))
    elif rows:
        columns = ("name", "when", "zone", "priority", "song", "next")
        told = [[song_name(row[key]) if key == "song" else str(row[key]) for key in columns] for row in rows]
        for line in table(("NAME", "WHEN", "ZONE", "CLASS", "SONG", "NEXT"), told):
            click.echo(line)
    else:
        click.echo("Nothing is scheduled.", err=True)


@command.command("remove", short_help="Drop a schedule.")
@click.argument("name")
@json_option
@farm_options
def remove(name: str, as_json: bool, **flags: str | None) -> None:
    """Drop the schedule NAME. What it has submitted goes on."""
    from quincunx_orchestrator.cli.farm.scheduling import open_schedules
    from quincunx_shared.errors import NotOnFarm
    from quincunx_shared.hints import did_you_mean

    with open_schedules(flags) as schedules:
        known = [one.schedule.name for one in schedules.all()]
        if name not in known:
            hint = did_you_mean(name, known)
            raise NotOnFarm(f"there is no such schedule{hint}", where=name, remedy="quincunx schedule list")
        schedules.remove(name)
    answer({"name": name, "removed": True}, f"{name} is dropped.", as_json=as_json)


def _row(one: Planned) -> dict[str, Any]:
    schedule, how = one.schedule, one.schedule.job.how
    return {
        "name": schedule.name,
        "when": schedule.when,
        "zone": schedule.zone,
        "song": how.song,
        "priority": how.priority,
        "tags": list(how.tags),
        "next": _moment(one.due),
    }


def _moment(seconds: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
