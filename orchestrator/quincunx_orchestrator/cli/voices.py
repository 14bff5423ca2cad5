"""`quincunx voices`: who can sing here."""

from __future__ import annotations

import json
from pathlib import Path

import click

from quincunx_orchestrator.cli.documents import json_option
from quincunx_orchestrator.cli.voice_installs import install, remove
from quincunx_orchestrator.cli.workspace import Workspace


@click.group("voices", invoke_without_command=True, short_help="List, install and remove voices.")
@click.option(
    "--vocoder-dir",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Where else to look for vocoders.",
)
@json_option
@click.pass_context
def command(context: click.Context, vocoder_dir: tuple[Path, ...], as_json: bool) -> int:
    """List the voices that are installed, and what keeps one from singing; or install and remove them."""
    if context.invoked_subcommand is not None:
        return 0
    from quincunx_orchestrator.song.voices import short_name
    from quincunx_shared.errors import BadVoicebank

    workspace = Workspace(vocoder_dirs=vocoder_dir)
    catalogue = workspace.catalogue()
    rows: list[dict[str, object]] = []
    for name, folder in catalogue.folders.items():
        row: dict[str, object] = {"name": name, "folder": str(folder.root), "problem": None}
        try:
            bank = catalogue.load(name).bank
            row |= {"about": folder.about, "speakers": [short_name(one) for one in bank.speakers]}
            row |= {"title": bank.name, "sample_rate": bank.sample_rate, "languages": sorted(bank.dictionaries)}
        except BadVoicebank as error:
            row["problem"] = str(error)
        rows.append(row)
    for one in catalogue.hidden:
        taken = catalogue.folders[one.name].root
        remedy = "rename its folder, or give the folder itself to --voice"
        click.echo(f"Note: {one.root} is hidden, because {taken} has its name: {remedy}.", err=True)
    if as_json:
        hidden = [{"name": one.name, "folder": str(one.root)} for one in catalogue.hidden]
        click.echo(json.dumps({"schema": 1, "voices": rows, "hidden": hidden}, ensure_ascii=False))
        return 0
    width = max(len(str(row["name"])) for row in rows)
    about = [_about(row) for row in rows]
    middle = max(map(len, about))
    for row, words in zip(rows, about, strict=True):
        click.echo(f"{row['name']:{width}}  {words:{middle}}  {row['folder']}")
    click.echo("`quincunx voices install FILE` adds more.", err=True)
    return 0


def _about(row: dict[str, object]) -> str:
    languages = row.get("languages", [])
    sings = ", ".join(map(str, languages)) if isinstance(languages, list) else ""
    about = f"  {row['about']}" if row.get("about") else _speakers(row)
    return str(row["problem"]) if row["problem"] else f"{sings}{about}"


def _speakers(row: dict[str, object]) -> str:
    """What a list says of a bank of several speakers."""
    speakers = row.get("speakers")
    if not isinstance(speakers, list) or len(speakers) < 2:
        return ""
    return "  speakers " + ", ".join(f"{row['name']}:{one}" for one in speakers)


command.add_command(install)
command.add_command(remove)
