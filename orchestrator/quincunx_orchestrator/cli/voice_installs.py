"""`quincunx voices install` and `quincunx voices remove`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from quincunx_orchestrator.cli.documents import json_option
from quincunx_orchestrator.cli.workspace import Workspace

voices_dir_option = click.option(
    "--voices-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder to install into.  [default: the first of QUINCUNX_VOICES, else the user's own]",
)


@click.command("install", short_help="Install a bank (.zip, folder) or a vocoder (.oudep).")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--as", "name", default="", metavar="NAME", help="Install under this name instead of its own.")
@click.option("--encoding", default="", help="Of file names in a zip.  [default: UTF-8, else Shift JIS]")
@click.option("--replace", is_flag=True, help="Take the place of what is installed under the name.")
@voices_dir_option
@json_option
def install(source: Path, name: str, encoding: str, replace: bool, voices_dir: Path | None, as_json: bool) -> int:
    """Install SOURCE, so that every later render finds it: a bank as .zip or folder, a vocoder as .oudep or folder.

    Nothing is left behind if anything is wrong with it.
    """
    from quincunx_orchestrator.banks.install import install as install_package
    from quincunx_orchestrator.embedded import check_models
    from quincunx_orchestrator.song.voices import DEMO_PRESETS

    roots = Workspace().install_roots(voices_dir)
    installed = install_package(
        source,
        roots,
        name=name,
        encoding=encoding,
        replace=replace,
        reserved=tuple(DEMO_PRESETS),
        check_models=check_models,
    )
    if as_json:
        told = {"kind": installed.kind, "name": installed.name, "folder": str(installed.place)}
        click.echo(json.dumps({"schema": 1, **told, "missing_vocoder": installed.missing_vocoder}, ensure_ascii=False))
        return 0
    click.echo(f"{installed.name}  {installed.place}")
    if wanted := installed.missing_vocoder:
        click.echo(f"It sings with the vocoder {wanted}, which is not installed yet:", err=True)
        click.echo(f"  → quincunx voices install {wanted}.oudep", err=True)
    return 0


@click.command("remove", short_help="Remove an installed bank or vocoder.")
@click.argument("name")
@voices_dir_option
def remove(name: str, voices_dir: Path | None) -> int:
    """Remove the installed bank or vocoder NAME. What was rendered with it stays in the cache."""
    from quincunx_orchestrator.banks.install import installed_in
    from quincunx_orchestrator.banks.install import remove as remove_package
    from quincunx_orchestrator.song.voices import DEMO_PRESETS
    from quincunx_shared.errors import BadInput
    from quincunx_shared.hints import did_you_mean

    workspace = Workspace()
    roots = [voices_dir] if voices_dir else [*workspace.voice_roots, *workspace.vocoder_roots]
    places = installed_in(roots)
    if name in DEMO_PRESETS and name not in places:
        raise BadInput(f"{name!r} is a voice of Quincunx itself, and stays")
    if name not in places:
        hint = did_you_mean(name, places)
        raise BadInput(f"{name!r} is not installed{hint}", remedy="`quincunx voices` lists what is")
    click.echo(remove_package(places[name]))
    return 0
