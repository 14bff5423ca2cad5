"""File names made of what people call things. None of them is ever a path, on any system."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from quincunx_shared.errors import BadOption

#: What some file system gives a meaning of its own.
_FORBIDDEN = frozenset('/\\:*?"<>|')

#: File systems allow 255 bytes; a number, an ending and the name of a file half written need room too.
NAME_BYTES = 120


def safe_name(name: str) -> str:
    """Return what of a name can stand in a file name; perhaps nothing.

    Letters of all scripts and emoji stay. What steers text (line ends, the marks that turn its direction, joiners)
    goes, and so do spaces and dots at the ends. The result has at most `NAME_BYTES` bytes of UTF-8.
    """
    kept = "".join(_kept(character) for character in unicodedata.normalize("NFC", name))
    words = " ".join(kept.split()).strip(". ")
    return words.encode("utf-8")[:NAME_BYTES].decode("utf-8", errors="ignore").strip(". ")


def numbered_name(number: int, name: str, ending: str, *, digits: int = 2) -> str:
    """Return `02 Name.wav`. The number in front keeps names apart, and off the names that systems reserve."""
    safe = safe_name(name)
    return f"{number:0{digits}d}{f' {safe}' if safe else ''}.{ending}"


def take_path(output: Path, number: int) -> Path:
    """Return the path of one of several takes: `song.take2.wav` for `song.wav`."""
    return output.with_name(f"{output.stem}.take{number}{output.suffix}")


def batch_paths(songs: Sequence[Path], folder: Path, ending: str) -> dict[Path, Path]:
    """Return song → output in a folder. Raises `BadOption` where two songs would write one file.

    Names that differ in case alone collide too: on many disks they are one.
    """
    paths = {song: folder / f"{song.stem}.{ending}" for song in songs}
    for song in paths:
        if songs.count(song) > 1:
            raise BadOption("this song is named twice", where=str(song), remedy="name it once")
    for name, found in _together((path.name, str(song)) for song, path in paths.items()).items():
        told = " and ".join(found)
        raise BadOption(
            f"several songs would be written to {folder / name}: {told}",
            where="--out-dir",
            remedy="rename one, or render them one by one with -o",
        )
    return paths


def refuse_collisions(paths: Iterable[Path]) -> None:
    """Raise `BadOption` if two outputs of one render have the same path."""
    for name, found in _together((str(path), str(path)) for path in paths).items():
        raise BadOption(f"{len(found)} files would be written here", where=name, remedy="choose another name or folder")


def _together(named: Iterable[tuple[str, str]]) -> Mapping[str, list[str]]:
    """Group by name, whatever its case and composition, and return the groups of more than one by their first name."""
    groups: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for name, value in named:
        groups[unicodedata.normalize("NFC", name).casefold()].append((name, value))
    return {group[0][0]: [value for _, value in group] for group in groups.values() if len(group) > 1}


def _kept(character: str) -> str:
    if character in _FORBIDDEN:
        return "_"
    if character.isspace():
        return " "
    return "" if unicodedata.category(character).startswith("C") else character
