"""The command line in this process: the same arguments, output and exit codes, without the start of an interpreter."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import numpy.typing as npt
import soundfile

from quincunx_orchestrator.cli.main import run

Audio = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The JSON document on standard output."""
        found: dict[str, Any] = json.loads(self.out)
        return found

    @property
    def ran(self) -> list[tuple[str, str]]:
        """(segment, step) of everything that ran."""
        return [(segment, step) for segment, step, _ in self.document["ran"]]


@dataclass(frozen=True)
class Terminal:
    """A folder to work in, with a cache of its own."""

    home: Path

    def type(self, *arguments: str) -> Said:
        """Run one command."""
        out, err = io.StringIO(), io.StringIO()
        environment = {"QUINCUNX_CACHE_DIR": str(self.home / "cache"), "XDG_DATA_HOME": str(self.home / "data")}
        with chdir(self.home), patch.dict("os.environ", environment), redirect_stdout(out), redirect_stderr(err):
            code = run(list(arguments))
        return Said(code, out.getvalue(), err.getvalue())

    def render(self, *arguments: str, song: str = "song.ustx", output: str = "song.wav") -> Said:
        """Render a song that is right."""
        said = self.type("render", song, "-o", output, "--json", *arguments)
        assert said.code == 0, said.err
        return said

    def write(self, text: str, name: str = "song.ustx") -> None:
        """Save a song."""
        (self.home / name).write_text(text, encoding="utf-8")

    def sound(self, name: str = "song.wav") -> Audio:
        """Read a sound file: float32[channels, N]."""
        samples, _ = soundfile.read(self.home / name, dtype="float32", always_2d=True)
        return np.ascontiguousarray(samples.T)

    def files(self) -> Iterator[str]:
        """Everything in the folder that is neither song nor cache, by its path."""
        for path in sorted(self.home.rglob("*")):
            name = path.relative_to(self.home).as_posix()
            if path.is_file() and not name.startswith(("cache/", "data/", "bank")) and path.suffix != ".ustx":
                yield name
