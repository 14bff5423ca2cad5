"""Reading a zip that a stranger packed: what is in it is decided from its table, before a byte is unpacked.

Refused are names that lead out, links and devices, encryption, sizes beyond the limits, bombs, and tables that are cut
or contradict themselves. Archives inside the archive stay closed, so a nested bomb is a file like any other.
"""

from __future__ import annotations

import shutil
import stat
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from quincunx_orchestrator.banks.entry_names import Parts, parts_of, refuse_collisions
from quincunx_shared.errors import BadVoicebank

#: The largest banks in use have some hundred files and a gigabyte.
FILES_LIMIT = 20_000
TOTAL_LIMIT_BYTES = 4 * 2**30

#: The table of that many files, with long names. Refused unread beyond it: a table is read into memory as a whole.
TABLE_LIMIT_BYTES = 8 * 2**20

#: Models shrink to a half, dictionaries to a tenth. Small archives may shrink more; they can do no harm.
RATIO_LIMIT = 100
RATIO_FREE_BYTES = 64 * 2**20

_END = struct.Struct("<4s4H2LH")
_COMMENT_LIMIT = 65535
_LOCATOR_BYTES = 20


@dataclass(frozen=True)
class Archive:
    """An open archive that passed every check, and its files by path."""

    zip: zipfile.ZipFile
    files: dict[Parts, zipfile.ZipInfo]
    where: str

    def unpack(self, parts: Parts, target: Path) -> None:
        """Write one file. Raises `BadVoicebank` where the bytes are not those the table promises."""
        entry = self.files[parts]
        try:
            with self.zip.open(entry) as packed, target.open("xb") as out:
                # Reads at most the size the table promises, and checks the sum at the end.
                shutil.copyfileobj(packed, out, 1 << 20)
        except OSError:
            # The disk it is written to is not the archive's fault.
            raise
        except Exception as error:  # of zipfile, zlib and lzma, each with classes of its own
            raise _broken(self.where, f"{'/'.join(parts)} cannot be unpacked: {error}") from error
        if target.stat().st_size != entry.file_size:
            raise _broken(self.where, f"{'/'.join(parts)} is shorter than the archive says")


@contextmanager
def open_archive(path: Path, encoding: str = "") -> Iterator[Archive]:
    """Yield a checked archive. Names without a mark of their encoding are read as UTF-8, else Shift JIS, or as told."""
    where = str(path)
    try:
        with path.open("rb") as stream:
            size = _refuse_wide_table(stream, where)
            with zipfile.ZipFile(stream) as opened:
                yield Archive(opened, _checked(opened, size, encoding, where), where)
    # The last is how zipfile says that the archive needs a newer version of the format than it reads.
    except (zipfile.BadZipFile, UnicodeDecodeError, NotImplementedError) as error:
        raise _broken(where, f"this is no whole zip archive: {error}") from error
    except OSError as error:
        if error.filename is not None and Path(error.filename) != path:
            raise
        raise BadVoicebank(f"cannot be read: {error.strerror or error}", where=where) from error


def _refuse_wide_table(stream: BinaryIO, where: str) -> int:
    """Look at the archive's end before a library does. Returns the size of the whole file."""
    size = stream.seek(0, 2)
    tail_size = min(size, _END.size + _COMMENT_LIMIT + _LOCATOR_BYTES)
    stream.seek(size - tail_size)
    tail = stream.read(tail_size)
    place = tail.rfind(b"PK\x05\x06")
    if place < 0 or place + _END.size > len(tail):
        raise _broken(where, "this is no whole zip archive: its table is missing, as when a download was cut")
    _, _, _, _, count, table_bytes, _, _ = _END.unpack_from(tail, place)
    wide = tail[max(place - _LOCATOR_BYTES, 0) :].startswith(b"PK\x06\x07")
    if wide or count > FILES_LIMIT or table_bytes > TABLE_LIMIT_BYTES:
        raise BadVoicebank(f"holds more than {FILES_LIMIT} files, or more than 4 GiB", where=where, remedy=_REMEDY)
    stream.seek(0)
    return size


def _checked(opened: zipfile.ZipFile, size: int, encoding: str, where: str) -> dict[Parts, zipfile.ZipInfo]:
    files: dict[Parts, zipfile.ZipInfo] = {}
    for entry in opened.infolist():
        name = _name_of(entry, encoding)
        parts = parts_of(name, where=where)
        if name.endswith(("/", "\\")):
            continue
        _refuse_odd(entry, name, where)
        if parts in files:
            refuse_collisions([parts, parts], where=where)
        files[parts] = entry
    refuse_collisions(files, where=where)
    refuse_size(sum(entry.file_size for entry in files.values()), len(files), where=where, packed_bytes=size)
    return files


def refuse_size(total_bytes: int, count: int, *, where: str, packed_bytes: int = 0) -> None:
    """Refuse more than any bank holds, and what unfolds like no bank does."""
    if count > FILES_LIMIT or total_bytes > TOTAL_LIMIT_BYTES:
        what = f"holds {count} files of {total_bytes / 1e9:.1f} GB; at most {FILES_LIMIT} of 4 GiB are installed"
        raise BadVoicebank(what, where=where, remedy=_REMEDY)
    if packed_bytes and total_bytes > RATIO_FREE_BYTES and total_bytes > RATIO_LIMIT * packed_bytes:
        what = f"unfolds from {packed_bytes / 1e6:.1f} MB to {total_bytes / 1e6:.0f} MB: no bank does, a bomb does"
        raise BadVoicebank(what, where=where, remedy=_REMEDY)


def _name_of(entry: zipfile.ZipInfo, encoding: str) -> str:
    """Return the name in the encoding it was packed in; the library reads unmarked names as those of old DOS."""
    if entry.flag_bits & 0x800:
        return entry.orig_filename
    raw = entry.orig_filename.encode("cp437")
    for candidate in (encoding, "utf-8", "cp932"):
        try:
            return raw.decode(candidate) if candidate else raw.decode("ascii")
        except (UnicodeDecodeError, LookupError):
            continue
    return entry.orig_filename


def _refuse_odd(entry: zipfile.ZipInfo, name: str, where: str) -> None:
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise BadVoicebank(f"{name!r} is a link or a device, not a file", where=where, remedy=_REMEDY)
    if entry.flag_bits & 0x1:
        raise BadVoicebank(f"{name!r} is encrypted", where=where, remedy="unpack it, and install the folder")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise BadVoicebank(f"{name!r} is packed in a rare way", where=where, remedy="unpack it, and install the folder")


def _broken(where: str, what: str) -> BadVoicebank:
    return BadVoicebank(what, where=where, remedy="nothing was installed; download or pack it again")


_REMEDY = "nothing was installed"
