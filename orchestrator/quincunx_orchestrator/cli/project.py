"""`quincunx project schema`: the form of project files and of batches of edits."""

from __future__ import annotations

import json

import click


@click.group("project", short_help="Print the schemas of project files and of batches of edits.")
def command() -> None:
    """Projects are made with `quincunx import` and changed with `quincunx edit`."""


@command.command("schema", short_help="Print a JSON Schema.")
@click.option("--edits", is_flag=True, help="That of the files that `edit --batch` reads.")
def schema(edits: bool) -> None:
    """Print the JSON Schema of project files."""
    from quincunx_orchestrator.project.document import project_schema
    from quincunx_orchestrator.project.requests import batch_schema

    click.echo(json.dumps(batch_schema() if edits else project_schema(), ensure_ascii=False, indent=2))
