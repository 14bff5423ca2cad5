"""Archives for the tests: honest ones, and those that lie byte by byte."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

from tests.unit.tiny_bank import FILES
from tests.unit.tiny_models import doubling

#: A vocoder dependency as OpenUTAU has it.
OUDEP: Mapping[str, str | bytes] = {
    "oudep.yaml": "name: tiny_hifigan\nversion: 0.1.0\n",
    "vocoder.yaml": "name: tiny_hifigan\nmodel: vocoder.onnx\nmel_base: e\n",
    "vocoder.onnx": doubling(),
}

#: A bank in a folder of its own, which names a vocoder it does not hold.
BANK: Mapping[str, str | bytes] = {
    f"Tiny/{name}": content for name, content in FILES.items() if content is not None and "dsvocoder" not in name
} | {
    "Tiny/acoustic.onnx": doubling(),
    "Tiny/dsconfig.yaml": "acoustic: acoustic.onnx\nphonemes: phonemes.txt\nmel_base: e\nvocoder: tiny_hifigan\n",
}


def packed(path: Path, files: Mapping[str, str | bytes], *, compression: int = zipfile.ZIP_DEFLATED) -> Path:
    """Write a zip."""
    with zipfile.ZipFile(path, "w", compression) as out:
        for name, content in files.items():
            out.writestr(name, content)
    return path


def with_entry(path: Path, files: Mapping[str, str | bytes], name: str, content: bytes = b"x", mode: int = 0) -> Path:
    """Write a zip with one more entry, whose name and kind a library would not write."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for one, text in files.items():
            out.writestr(one, text)
        entry = zipfile.ZipInfo("placeholder")
        entry.external_attr = (mode or stat.S_IFREG | 0o644) << 16
        out.writestr(entry, content)
        entry.filename = name  # written into the table when the archive is closed
    return path


def with_raw_names(path: Path, files: Mapping[str, str | bytes], encoding: str) -> Path:
    """Write a zip whose names are bytes of an old encoding, without a mark that says so."""
    marked: dict[str, str | bytes] = {}
    raw_names: dict[bytes, bytes] = {}
    for number, (name, content) in enumerate(files.items()):
        raw = name.encode(encoding)
        stand_in = f"{number:0{len(raw)}d}"
        marked[stand_in], raw_names[stand_in.encode()] = content, raw
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as out:
        for name, content in marked.items():
            out.writestr(zipfile.ZipInfo(name), content)
    content_bytes = buffer.getvalue()
    for stand_in_bytes, raw in sorted(raw_names.items(), key=lambda pair: -len(pair[0])):
        content_bytes = content_bytes.replace(stand_in_bytes, raw)
    path.write_bytes(content_bytes)
    return path


def lying_about_sizes(path: Path, size: int) -> Path:
    """Write a zip whose table promises another size of its last file than its bytes unfold to."""
    content = bytearray(packed(path, {**OUDEP, "extra.bin": bytes(100_000)}).read_bytes())
    entry = content.rfind(b"PK\x01\x02")
    struct.pack_into("<L", content, entry + 24, size)
    path.write_bytes(content)
    return path


def with_end(path: Path, *, count: int, table_bytes: int) -> Path:
    """Write a zip whose end promises another table."""
    content = bytearray(packed(path, OUDEP).read_bytes())
    end = content.rfind(b"PK\x05\x06")
    struct.pack_into("<HHL", content, end + 8, count & 0xFFFF, count & 0xFFFF, table_bytes)
    path.write_bytes(content)
    return path
