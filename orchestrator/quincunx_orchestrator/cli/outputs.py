"""The files of one render: where each goes, what may not be overwritten, and the writing."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from quincunx_orchestrator.cli.job import Job, check_output, write_whole
from quincunx_orchestrator.cli.pictures import check_picture, picture_of
from quincunx_orchestrator.render_result import RenderResult
from quincunx_orchestrator.song.assembly import Assembly
from quincunx_orchestrator.song.file_names import refuse_collisions
from quincunx_orchestrator.song.phrase_graph import FILE
from quincunx_orchestrator.song.phrase_list import phrase_list
from quincunx_shared.errors import BadInput, QuincunxError
from quincunx_shared.names import SONG, Address
from quincunx_shared.payload import Payload

#: The list beside phrase files.
PHRASE_LIST = "phrases.json"


@dataclass(frozen=True)
class Output:
    """One file: what it is (`song`, `stem`, `phrase`, `phrase list`), and where it goes."""

    kind: str
    path: Path


@dataclass(frozen=True)
class Places:
    """Where the files of one render go: the song's path, the folders of stems and phrases, the picture."""

    song: Path
    stems: Path | None = None
    phrases: Path | None = None
    picture: Path | None = None

    def check(self, *, makes_folder: bool = False) -> None:
        """Refuse places that cannot be written to, before anything is read; a folder may still have to be made."""
        if makes_folder:
            check_folder(self.song.parent)
        if not makes_folder or self.song.parent.is_dir():
            check_output(self.song)
        for folder in (self.stems, self.phrases):
            if folder is not None:
                check_folder(folder)
        if self.picture is not None:
            check_picture(self.picture)

    def files(self, assembly: Assembly) -> dict[Address, Output]:
        """Return which target becomes which file."""
        found = {Address(SONG, FILE): Output("song", self.song)}
        folders = {"stem": self.stems, "phrase": self.phrases}
        for one in assembly.deliverables:
            folder = folders[one.kind]
            if folder is not None:
                found[one.file] = Output(one.kind, folder / one.file_name)
        return found

    def check_files(self, assembly: Assembly, song: Path) -> None:
        """Refuse files that would fall on each other or on the song itself."""
        paths = [one.path for one in self.files(assembly).values()]
        if self.phrases is not None:
            paths.append(self.phrases / PHRASE_LIST)
        if self.picture is not None:
            paths.append(self.picture)
        refuse_collisions(path.resolve() for path in paths)
        for path in paths:
            if path.exists() and path.samefile(song):
                raise BadInput("this is the song itself", where=str(path), remedy="write to another file")
            if path.is_dir():
                raise BadInput("there is a folder of this name", where=str(path), remedy="choose another folder")


@dataclass
class Writer:
    """Writes every file as soon as it is fetched, and forgets it: a song's stems need not fit into memory at once."""

    files: Mapping[Address, Output]
    written: dict[Path, Output] = field(default_factory=dict)

    def __call__(self, _: RenderResult, target: Address, payload: Payload) -> Payload:
        """Write a target that is a file, and return its path; hand on whatever else it is."""
        output = self.files.get(target)
        if output is None:
            return payload
        self.write(output, payload)
        return output.path

    def write(self, output: Output, content: bytes) -> None:
        """Write one file, in a folder that is made if need be."""
        try:
            output.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise QuincunxError(f"cannot be made: {error.strerror}", where=str(output.path.parent)) from error
        write_whole(output.path, content)
        self.written[output.path] = output


def write_beside(writer: Writer, places: Places, job: Job, result: RenderResult) -> None:
    """Write what is made of a render's results: the list of phrase files, and the picture."""
    if places.phrases is not None and result.payloads:
        text = json.dumps(phrase_list(job.assembly, result.payloads), ensure_ascii=False, indent=1)
        writer.write(Output("phrase list", places.phrases / PHRASE_LIST), f"{text}\n".encode())
    if places.picture is not None and places.song in writer.written:
        drawn = picture_of(job, result, places.song.read_bytes(), job.path)
        writer.write(Output("picture", places.picture), drawn)


def check_folder(folder: Path) -> None:
    """Refuse a folder that could not be made or written to."""
    if folder.exists() and not folder.is_dir():
        raise BadInput("this is a file, not a folder", where=str(folder))
    there = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    if not there.is_dir():
        raise BadInput("this is a file, not a folder", where=str(there))
    if not os.access(there, os.W_OK):
        raise BadInput("the folder cannot be written to", where=str(there))
