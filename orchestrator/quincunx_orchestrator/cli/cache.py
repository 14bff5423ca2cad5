"""`quincunx cache`: what is kept, and where."""

from __future__ import annotations

import json
from pathlib import Path

import click

from quincunx_orchestrator.cli.workspace import Workspace, cache_dir_option, json_option


@click.group("cache", short_help="Look after the cache.")
def command() -> None:
    """Look after the cache of results."""


@command.command("stats")
@json_option
@cache_dir_option
def stats(as_json: bool, cache_dir: Path | None) -> int:
    """Say where the cache is, how many results it knows, and how much room they take."""
    workspace = Workspace(cache_dir)
    with workspace.cache() as cache:
        document = {
            "schema": 1,
            "folder": str(workspace.cache_root),
            "results": cache.index.count(),
            "blobs": cache.blobs.count(),
            "blob_bytes": cache.blobs.size_bytes(),
        }
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False))
        return 0
    click.echo(f"{document['folder']}")
    click.echo(f"{document['results']} results, {document['blobs']} blobs, {_size(document['blob_bytes'])}")
    return 0


def _size(count: object) -> str:
    size = float(count) if isinstance(count, int | float) else 0.0
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return ""
