"""`quincunx config show`: the settings of the farm, and where each of them comes from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from quincunx_orchestrator.cli.documents import json_option
from quincunx_orchestrator.cli.farm.options import farm_options

if TYPE_CHECKING:
    from quincunx_shared.farm.settings_layers import Loaded


@click.group("config", short_help="Say which farm this is, and where that is written.")
def command() -> None:
    """A setting is looked for in this order: flag, environment (QUINCUNX_FARM_…), the table [farm] of quincunx.toml in
    this folder or above it, of the user, of the system. Secrets are named as files and never shown.
    """


@command.command("show", short_help="Print the settings.")
@click.option("--origin", is_flag=True, help="Say where each of them comes from.")
@json_option
@farm_options
def show(origin: bool, as_json: bool, **flags: str | None) -> None:
    """Print the settings of the farm that commands in this folder speak to."""
    from quincunx_orchestrator.cli.farm.options import load

    loaded = load(**flags)
    if as_json:
        click.echo(json.dumps(_document(loaded, origin), ensure_ascii=False))
        return
    values = {name: _shown(value) for name, value in _values(loaded).items()}
    name_width, value_width = (max(map(len, column)) for column in (values, values.values()))
    for name, value in values.items():
        row = f"{name:{name_width}}  {value:{value_width}}  {loaded.origins[name] if origin else ''}"
        click.echo(row.rstrip())
    if origin:
        _tell_files()


def _values(loaded: Loaded) -> dict[str, Any]:
    return loaded.settings.model_dump(mode="json")


def _document(loaded: Loaded, origin: bool) -> dict[str, Any]:
    settings = _values(loaded)
    if origin:
        settings = {name: {"value": value, "origin": loaded.origins[name]} for name, value in settings.items()}
    return {"schema": 1, "settings": settings}


def _shown(value: object) -> str:
    return "–" if value in (None, "") else str(value)


def _tell_files() -> None:
    """Say which files could hold settings: a typo in a file's name is seen nowhere else."""
    import os

    from quincunx_shared.farm.settings_layers import FILE, config_files

    for path, whose in zip(config_files(os.environ), ("the user's", "the system's"), strict=True):
        click.echo(f"{whose} file: {path}{'' if path.is_file() else ' (not there)'}", err=True)
    click.echo(f"the project's file: {FILE} in this folder, or the nearest above it", err=True)
