"""Which names a stranger's archive or folder may hold. Pure: names in, relative paths out.

A name is refused where two machines would not agree on what it means: absolute or with a drive, leading out by `..`,
with control characters or marks that turn the direction of text, longer than a file system takes, or equal to another
name but for case or Unicode form.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import TypeAlias

from quincunx_shared.errors import BadVoicebank

#: A path inside the bank, part by part.
Parts: TypeAlias = tuple[str, ...]

#: What Linux, macOS and Windows take for one name, in bytes of UTF-8.
NAME_BYTES = 255

#: What the shortest of them takes for a whole path, less room for where the bank lies.
PATH_BYTES = 900

_ABSOLUTE = re.compile(r"/|[A-Za-z]:")
#: Controls, marks that turn or embed text the other way round, and what no Windows name holds.
_UNFIT = re.compile(r'[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff<>:"|?*]')
_WINDOWS_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)


def parts_of(written: str, *, where: str) -> Parts:
    """Return the parts of a relative path as written in an archive; backslashes count as slashes.

    Parts come in Unicode's composed form, so that a name packed on macOS is the one that config files write. Raises
    `BadVoicebank`.
    """
    slashed = unicodedata.normalize("NFC", written).replace("\\", "/")
    if _ABSOLUTE.match(slashed):
        raise _bad(written, "is an absolute path", where)
    parts = tuple(part for part in slashed.split("/") if part not in ("", "."))
    if not parts:
        raise _bad(written, "names nothing", where)
    if len(slashed.encode("utf-8", "replace")) > PATH_BYTES:
        raise _bad(written, f"is longer than {PATH_BYTES} bytes", where)
    for part in parts:
        if why := _fault(part):
            raise _bad(written, why, where)
    return parts


def _fault(part: str) -> str:
    if part == "..":
        return "leads out of the archive"
    if _UNFIT.search(part):
        return "holds a character that no file name may hold everywhere"
    if part != part.rstrip(" .") or _WINDOWS_DEVICE.fullmatch(part):
        return "is a name that Windows takes for another"
    if len(part.encode()) > NAME_BYTES:
        return f"has a part longer than {NAME_BYTES} bytes"
    return ""


def refuse_collisions(files: Iterable[Parts], *, where: str) -> None:
    """Refuse files of which one would overwrite another on some file system: equal but for case, or file and folder.

    Folders that differ only in case are refused too: their files would land in one.
    """
    spelled: dict[Parts, Parts] = {}
    seen: set[Parts] = set()
    for parts in files:
        folded = tuple(part.casefold() for part in parts)
        if folded in seen or folded in spelled:
            raise _bad("/".join(parts), "stands there twice, or differs from another name only in case", where)
        seen.add(folded)
        for depth in range(1, len(parts)):
            above = spelled.setdefault(folded[:depth], parts[:depth])
            if above != parts[:depth] or folded[:depth] in seen:
                raise _bad("/".join(parts), "differs from another name only in case, or lies below a file", where)


def _bad(written: str, why: str, where: str) -> BadVoicebank:
    shown = written if len(written) <= 80 else f"{written[:60]}… ({len(written)} characters)"
    return BadVoicebank(f"the name {shown!r} {why}", where=where, remedy="nothing was installed; pack it anew")
