"""In which sound files a song can be delivered."""

from __future__ import annotations

from collections.abc import Mapping

from quincunx_shared.errors import BadOption

#: What people call a sample format → its name in a sound file.
SUBTYPES: Mapping[str, str] = {"16": "PCM_16", "24": "PCM_24", "float": "FLOAT"}

#: Container, which is also the end of the file's name → the sample formats it holds.
HOLDS: Mapping[str, tuple[str, ...]] = {"wav": ("16", "24", "float"), "flac": ("16", "24")}


def container_of(name: str) -> str:
    """Return the container that the end of a file's name asks for. Raises `BadOption` for any other."""
    container = name.rpartition(".")[2].lower() if "." in name else ""
    if container not in HOLDS:
        raise BadOption("the name must end in .wav or .flac, which decides the format", where=name)
    return container


def subtype_of(container: str, bits: str) -> str:
    """Return the sample format as a sound file names it. Raises `BadOption` where the container has none such."""
    if bits not in HOLDS[container]:
        held = " or ".join(HOLDS[container])
        raise BadOption(
            f"a .{container} file cannot hold {bits} samples, only {held} bits",
            where=f"--bits {bits}",
            remedy=f"name a .wav file, or use --bits {HOLDS[container][-1]}",
        )
    return SUBTYPES[bits]
