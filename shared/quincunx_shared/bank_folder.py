"""Reading inside one folder that a stranger packed: no path leaves it, no file surprises by its size or encoding."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from quincunx_shared.errors import BadInput, BadVoicebank
from quincunx_shared.names import Digest
from quincunx_shared.strict_yaml import Yaml, read_yaml

#: The largest text file that is read into memory; real dictionaries stay below 20 MB.
TEXT_LIMIT_BYTES = 64 * 1024 * 1024

#: The largest file at all: the format of models holds no more in one file.
FILE_LIMIT_BYTES = 2 * 1024 * 1024 * 1024

_ABSOLUTE = re.compile(r"[/\\]|[A-Za-z]:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


#: Names a file by its content.
DigestOf: TypeAlias = Callable[[Path], Digest]


def file_digest(path: Path) -> Digest:
    """Return the SHA-256 of a file's content. The name, the place and the date of a file never count."""
    try:
        with path.open("rb") as stream:
            if os.fstat(stream.fileno()).st_size > FILE_LIMIT_BYTES:
                raise BadVoicebank(f"this file is larger than {FILE_LIMIT_BYTES >> 30} GiB", where=str(path))
            return Digest(hashlib.file_digest(stream, "sha256").hexdigest())
    except OSError as error:
        raise BadVoicebank(f"this file cannot be read: {error.strerror}", where=str(path)) from error


@dataclass(frozen=True)
class BankFolder:
    """A folder and everything below it."""

    root: Path

    def path(self, written: str, *, below: str = "", where: str) -> Path:
        """Return the place a config file means by a relative path, written from its own folder `below`.

        Backslashes count as slashes, `..` may go up as far as the root. Raises `BadVoicebank` for what is absolute
        or leads out, by name or by symbolic link. The file need not exist.
        """
        if _ABSOLUTE.match(written) or _CONTROL.search(written):
            raise BadVoicebank(f"{written!r} is not a path inside the bank", where=where, remedy="use a relative path")
        parts = self._walk(f"{below}/{written}".replace("\\", "/"), written, where)
        path = self.root.joinpath(*parts)
        try:
            stays = path.resolve().is_relative_to(self.root.resolve())
        except (OSError, RuntimeError, ValueError) as error:
            raise BadVoicebank(f"{written!r} cannot be followed: {error}", where=where) from error
        if not stays:
            raise _leads_out(written, where)
        return path

    def file(self, written: str, *, below: str = "", where: str) -> Path:
        """The same for a file that must exist."""
        path = self.path(written, below=below, where=where)
        if not _is_file(path):
            raise BadVoicebank(f"{written} is missing", where=where, remedy=f"expected at {path}")
        return path

    def optional(self, name: str) -> Path | None:
        """Return a file by its usual name, or None where the bank has none."""
        path = self.path(name, where=str(self.root))
        return path if _is_file(path) else None

    def matching(self, pattern: str) -> list[Path]:
        """Return the files that match, in the order of their names."""
        found = (path.relative_to(self.root).as_posix() for path in sorted(self.root.glob(pattern)))
        return [path for name in found if (path := self.optional(name)) is not None]

    @staticmethod
    def _walk(joined: str, written: str, where: str) -> list[str]:
        parts: list[str] = []
        for part in joined.split("/"):
            if part == ".." and not parts:
                raise _leads_out(written, where)
            if part == "..":
                parts.pop()
            elif part not in ("", "."):
                parts.append(part)
        return parts


def read_bytes(path: Path) -> bytes:
    """Return the content of a text file of sane size."""
    try:
        if path.stat().st_size > TEXT_LIMIT_BYTES:
            raise BadVoicebank(f"this file is larger than {TEXT_LIMIT_BYTES >> 20} MiB", where=str(path))
        return path.read_bytes()
    except OSError as error:
        raise BadVoicebank(f"this file cannot be read: {error.strerror}", where=str(path)) from error


def read_mapping(path: Path) -> dict[str, Yaml]:
    """Return a YAML file that holds a mapping. Keys without a value are left out: they mean the default."""
    try:
        document = read_yaml(read_bytes(path), where=str(path))
    except BadVoicebank:
        raise
    except BadInput as error:
        raise BadVoicebank(error.what, where=error.where, remedy=error.remedy) from error
    if not isinstance(document, dict):
        raise BadVoicebank("this file must hold `key: value` lines", where=str(path))
    return {key: value for key, value in document.items() if value != ""}


def read_text(path: Path, encoding: str = "") -> str:
    """Return a text file in the encoding it declares; undeclared it is UTF-8, and where it is not, Shift JIS.

    In this order because Japanese text in Shift JIS is hardly ever valid UTF-8, while UTF-8 often passes as
    Shift JIS and comes out as gibberish.
    """
    content = read_bytes(path)
    for candidate in (encoding or "utf-8-sig", "utf-8-sig", "cp932"):
        try:
            return content.decode(candidate)
        except (UnicodeDecodeError, LookupError):
            continue
    return content.decode("utf-8", errors="replace")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _leads_out(written: str, where: str) -> BadVoicebank:
    return BadVoicebank(f"{written!r} leads out of the bank", where=where, remedy="move the file into the bank")
