"""`quincunx log`: what was done to a project, in order, and what of it is undone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from quincunx_orchestrator.cli.documents import json_option
from quincunx_orchestrator.cli.workspace import Workspace, cache_dir_option

if TYPE_CHECKING:
    from quincunx_orchestrator.project.folding import State
    from quincunx_orchestrator.project.values import Project


@click.command("log", short_help="Say what was done to a project.")
@click.argument("project", type=click.Path(path_type=Path))
@click.option("--phrases", is_flag=True, help="List the phrases by name, too.")
@json_option
@cache_dir_option
def command(project: Path, phrases: bool, as_json: bool, cache_dir: Path | None) -> int:
    """Print the units of PROJECT, oldest first: what was done, what is undone, what waits for its phrase."""
    from quincunx_orchestrator.cli.project_files import open_project
    from quincunx_orchestrator.project.folding import fold

    opened = open_project(project)
    state = fold(opened)
    document = {
        "schema": 1,
        "project": str(project),
        "source": {"name": state.source.name, "digest": state.source.digest},
        "units": _units(opened),
        "snapshots": {name: [*units] for name, units in opened.snapshots.items()},
        "phrases": _phrases(state),
        "waiting": _waiting(state),
        "conflicts": _conflicts(project, state, Workspace(cache_dir)),
    }
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False))
    else:
        _print(document, phrases=phrases)
    return 0


def _units(project: Project) -> list[dict[str, Any]]:
    units, effective = project.by_number, {unit.number for unit in project.in_effect()}
    order = [*((number, "done") for number in project.done), *((one, "undone") for one in reversed(project.undone))]
    return [
        {
            "unit": number,
            "at": units[number].at,
            "state": "set aside" if state == "done" and _is_set_aside(project, number, effective) else state,
            "did": [*units[number].said],
        }
        for number, state in order
    ]


def _is_set_aside(project: Project, number: int, effective: set[int]) -> bool:
    """Whether a later restore took the effect of a unit away."""
    return number not in effective and project.by_number[number].restored is None


def _phrases(state: State) -> list[dict[str, Any]]:
    return [
        {"phrase": name, "label": label, "edits": len(state.wishes.get(name, ()))}
        for name, label in state.phrases().items()
    ]


def _waiting(state: State) -> list[dict[str, Any]]:
    there = {one["phrase"] for one in _phrases(state)}
    return [
        {"phrase": name, "edits": len(wishes)} for name, wishes in state.wishes.items() if wishes and name not in there
    ]


def _conflicts(path: Path, state: State, workspace: Workspace) -> list[dict[str, Any]]:
    """Plan the song, where overrides remember what they were drawn on, and say which no longer fit."""
    drawn = any(getattr(one.wish, "drawn_on", None) for wishes in state.wishes.values() for one in wishes)
    if not drawn or not workspace.cache_root.is_dir():
        return []
    from quincunx_orchestrator.cli.conflicts import conflict_rows
    from quincunx_orchestrator.cli.job import open_room

    with open_room(workspace) as room:
        assembly = room.studio.assemble(state.edited_song(path.name, {}))
        return conflict_rows(room.studio.plan(assembly).conflicts, assembly)


def _print(document: dict[str, Any], *, phrases: bool) -> None:
    from quincunx_orchestrator.cli.conflicts import conflict_line

    for unit in document["units"]:
        mark = {"done": " ", "undone": "↶", "set aside": "·"}[unit["state"]]
        click.echo(f"{mark}{unit['unit']:>4}  {unit['at']}  {'; '.join(unit['did'])}")
    for name, units in document["snapshots"].items():
        click.echo(f"snapshot {name}: after unit {units[-1]}" if units else f"snapshot {name}: as imported")
    if phrases:
        for one in document["phrases"]:
            edits = f"  ({_edits(one['edits'])})" if one["edits"] else ""
            click.echo(f"{one['phrase']}  {one['label']}{edits}")
    for one in document["waiting"]:
        click.echo(f"{one['phrase']} is not in the song now; {_edits(one['edits'])} wait for it")
    for one in document["conflicts"]:
        click.echo(conflict_line(one))


def _edits(count: int) -> str:
    return f"{count} edit{'' if count == 1 else 's'}"
