"""The project file: JSON, one form for one project, so that two states of it can be compared line by line.

    {"quincunx_project": 1, "source": …, "score": …, "voices": …, "units": […], "done": [1, 2], "undone": [3], …}

What stands in it is checked before anything is made of it; an error names the field.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from quincunx_orchestrator.project.changes import SONG_TAGS
from quincunx_orchestrator.project.checks import check_project
from quincunx_orchestrator.project.folding import fold
from quincunx_orchestrator.project.values import Project
from quincunx_orchestrator.score.formats import SIZE_LIMIT
from quincunx_shared.canonical import Json
from quincunx_shared.errors import BadInput
from quincunx_shared.strict_json import read_json

SUFFIX = ".qxp"
VERSION = 1

#: What is longer than this is written on several lines.
LINE_LENGTH = 140


@dataclass(frozen=True)
class ProjectFile(Project):
    """A project as it stands in a file."""

    quincunx_project: Literal[1] = 1


def write_project(project: Project) -> bytes:
    """Return the file of a project. Raises `BadInput` for one that is too large to be read again."""
    members = {one.name: _plain(getattr(project, one.name)) for one in fields(Project)}
    written = _lines({"quincunx_project": VERSION, **members}, "")
    content = f"{written}\n".encode()
    if len(content) > SIZE_LIMIT:
        what = f"the project would have {len(content) / 1e6:.0f} MB, and at most {SIZE_LIMIT / 1e6:.0f} MB are read"
        raise BadInput(what, remedy="lay curves instead of arrays, or undo some edits")
    return content


def read_project(raw: bytes, name: str) -> Project:
    """Return the project of a file; `name` is the file's, for errors.

    Raises `BadInput` with the field for whatever is wrong: the form, another version, what a song cannot be, changes
    that do not fit the score.
    """
    if len(raw) > SIZE_LIMIT:
        what = f"{len(raw) / 1e6:.0f} MB are too large for a project; at most {SIZE_LIMIT / 1e6:.0f} MB are read"
        raise BadInput(what, where=name)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"this is not text in UTF-8 (byte {error.start})", where=name) from error
    _check_version(read_json(text, where=name), name)
    try:
        found = _adapter().validate_json(text.encode(), strict=True, extra="forbid")
    except ValidationError as error:
        raise _refusal(error, name) from error
    project = Project(**{one.name: getattr(found, one.name) for one in fields(Project)})
    try:
        check_project(project)
        fold(project)
    except BadInput as error:
        raise BadInput(error.what, where=f"{name}: {error.where}", remedy=error.remedy) from error
    return project


def project_schema() -> dict[str, Any]:
    """Return the JSON Schema of the project file."""
    schema = _adapter().json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Quincunx project", **schema}


@cache
def _adapter() -> TypeAdapter[ProjectFile]:
    return TypeAdapter(ProjectFile)


def _check_version(document: Json, name: str) -> None:
    if not isinstance(document, dict) or "quincunx_project" not in document:
        what = "this is no Quincunx project: `quincunx_project` is missing"
        raise BadInput(what, where=name, remedy="`quincunx import SONG -o NAME.qxp` makes one")
    version = document["quincunx_project"]
    if version != VERSION or isinstance(version, bool):
        what = f"version {json.dumps(version)[:40]} is not known; this program reads version {VERSION}"
        raise BadInput(what, where=f"{name}: quincunx_project", remedy="a newer Quincunx may read it")


def _refusal(error: ValidationError, name: str) -> BadInput:
    first = error.errors(include_url=False, include_input=False)[0]
    steps = [step for step in first["loc"] if step not in SONG_TAGS]
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step[:40]}" for step in steps)
    return BadInput(first["msg"], where=f"{name}: {path.removeprefix('.')}")


def _plain(value: Any) -> Json:
    """Return a value of dataclasses as JSON, without fields that are as when left out."""
    if is_dataclass(value):
        members = {one.name: (getattr(value, one.name), one.default) for one in fields(value)}
        tags = ("kind", "does", "form")
        return {
            name: _plain(member)
            for name, (member, default) in members.items()
            if name in tags or not (type(member) is type(default) and repr(member) == repr(default))
        }
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if hasattr(value, "items"):
        return {str(key): _plain(one) for key, one in value.items()}
    plain: Json = value
    return plain


def _lines(value: Json, indent: str) -> str:
    """Write a value: on one line if it fits, else member by member."""
    whole = json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False)
    if len(whole) + len(indent) <= LINE_LENGTH or not isinstance(value, dict | list) or not value:
        return whole
    if isinstance(value, list) and not any(isinstance(one, dict | list) for one in value):
        return whole
    deeper = f"{indent} "
    if isinstance(value, list):
        rows = [_lines(one, deeper) for one in value]
    else:
        rows = [f"{json.dumps(key, ensure_ascii=False)}: {_lines(value[key], deeper)}" for key in sorted(value)]
    opening, closing = "[]" if isinstance(value, list) else "{}"
    return opening + "\n" + ",\n".join(f"{deeper}{row}" for row in rows) + f"\n{indent}{closing}"
