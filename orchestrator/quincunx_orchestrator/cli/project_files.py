"""Project files on the disk: read, changed, and written whole."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from quincunx_orchestrator.cli.job import PROJECT_SUFFIX, write_whole
from quincunx_orchestrator.cli.song_file import content_of
from quincunx_orchestrator.project.document import read_project, write_project
from quincunx_orchestrator.project.edited_score import EditedSong
from quincunx_orchestrator.project.folding import fold
from quincunx_orchestrator.project.values import Project
from quincunx_shared.errors import BadInput


def open_project(path: Path) -> Project:
    """Read a project. Raises `BadInput` for what is none."""
    if path.suffix.lower() != PROJECT_SUFFIX:
        remedy = f"`quincunx import {path.name} -o {path.stem}{PROJECT_SUFFIX}` makes one"
        raise BadInput(f"this is no project; its name must end in {PROJECT_SUFFIX}", where=str(path), remedy=remedy)
    return read_project(content_of(path), path.name)


def song_of_project(path: Path) -> EditedSong:
    """Return a project's song as it is now, ready to be rendered."""
    project = open_project(path)
    return fold(project).edited_song(path.name, project.voices)


def save_project(path: Path, project: Project) -> None:
    """Write a project whole."""
    write_whole(path, write_project(project))


def now() -> str:
    """Return the time of day, as the log keeps it: to the second, in UTC."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
