"""A folder as something to install: the same questions as to an archive, asked of the disk."""

from __future__ import annotations

import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from quincunx_orchestrator.banks.archive import refuse_size
from quincunx_orchestrator.banks.entry_names import Parts, parts_of, refuse_collisions
from quincunx_shared.errors import BadVoicebank


@dataclass(frozen=True)
class Tree:
    """A folder that passed every check, and the places of its files by path."""

    files: dict[Parts, Path]
    where: str

    def unpack(self, parts: Parts, target: Path) -> None:
        """Copy one file: its content, and nothing of its owner, rights and links."""
        shutil.copyfile(self.files[parts], target, follow_symlinks=False)


def open_folder(root: Path) -> Tree:
    """Return a folder's files. Links and devices are refused: what they lead to is no part of the bank."""
    where = str(root)
    files: dict[Parts, Path] = {}
    total = 0
    for folder, inner, names in os.walk(root, onerror=_raise):
        links = [name for name in inner if (Path(folder) / name).is_symlink()]
        for path in (Path(folder) / name for name in [*names, *links]):
            told = path.lstat()
            if not stat.S_ISREG(told.st_mode):
                raise BadVoicebank(f"{str(path.relative_to(root))!r} is a link or a device, not a file", where=where)
            files[parts_of(path.relative_to(root).as_posix(), where=where)] = path
            total += told.st_size
        refuse_size(total, len(files), where=where)
    refuse_collisions(files, where=where)
    return Tree(files, where)


def _raise(error: OSError) -> None:
    raise error
