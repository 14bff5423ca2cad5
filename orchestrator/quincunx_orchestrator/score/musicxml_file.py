"""The document in a MusicXML file, plain or compressed, opened so that no document can do harm.

Entities and external references are refused by defusedxml; a compressed file may not grow beyond what a song needs.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from typing import TYPE_CHECKING, TypeAlias

from quincunx_shared.errors import BadScore

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element as XmlElement

    Element: TypeAlias = XmlElement

#: A symphony has a third of it.
SIZE_LIMIT = 30_000_000

#: What the library says of a compressed file that is cut or spoilt; NotImplementedError is its word for a way of
#: compression that it does not know.
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError, OSError, RuntimeError, ValueError)

#: Elements inside of elements; MusicXML needs a dozen.
_DEPTH_LIMIT = 60

#: Sixty thousand notes. Empty elements take four bytes in the file and a hundred in memory, and shrink to nothing in
#: a compressed one: by size alone, 30 kB could ask for a gigabyte.
_ELEMENT_LIMIT = 600_000

#: The longest tag. One with a million attributes is parsed for ten seconds before anybody sees it.
_TAG_LIMIT = re.compile(rb"<[^<>]{65536}")


def open_document(raw: bytes, name: str) -> Element:
    """Return the root of a file's document, without namespaces. Raises `BadScore`."""
    # Imported here: only those who sing MusicXML wait for it.
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import ParseError, iterparse

    content = _uncompressed(raw, name) if raw.startswith(b"PK") else raw
    if len(content) > SIZE_LIMIT:
        raise BadScore(f"{len(content) / 1e6:.0f} MB are too large for a song", where=name)
    if _TAG_LIMIT.search(content):
        raise BadScore("a tag is longer than 64 kB", where=name)
    depth = count = 0
    root: Element | None = None
    try:
        for event, element in iterparse(io.BytesIO(content), events=("start", "end"), forbid_dtd=False):
            root = element if root is None else root
            depth += 1 if event == "start" else -1
            count += 1
            if count > 2 * _ELEMENT_LIMIT:
                raise BadScore(f"more than {_ELEMENT_LIMIT:,} elements are too many for a song", where=name)
            if depth > _DEPTH_LIMIT:
                raise BadScore(f"elements stand more than {_DEPTH_LIMIT} deep in each other", where=name)
            element.tag = element.tag.rpartition("}")[2]
    except ParseError as error:
        line, column = error.position
        what = f"this is not XML: {str(error).partition(':')[0]}"
        raise BadScore(what, where=f"{name}:{line}:{column + 1}", remedy="export the song again") from error
    except DefusedXmlException as error:
        what = f"the file defines entities or refers to others, which no song needs ({type(error).__name__})"
        raise BadScore(what, where=name) from error
    except (LookupError, ValueError, UnicodeError) as error:
        raise BadScore(f"this is not XML: {error}", where=name, remedy="save it as UTF-8") from error
    if root is None:
        raise BadScore("the file is empty", where=name)
    return root


def _uncompressed(raw: bytes, name: str) -> bytes:
    """Return the document of a .mxl: the file its container names, else its only .musicxml or .xml."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            entry = _entry(archive, name)
            with archive.open(entry) as file:
                content = file.read(SIZE_LIMIT + 1)
    except _DAMAGE as error:
        raise BadScore(f"the compressed file is damaged: {error}", where=name, remedy="export it again") from error
    return content


def _entry(archive: zipfile.ZipFile, name: str) -> str:
    entries = [one for one in archive.namelist() if not one.startswith("META-INF/")]
    songs = [one for one in entries if one.lower().endswith((".musicxml", ".xml"))]
    if not songs:
        raise BadScore("there is no .musicxml in the compressed file", where=name)
    if "META-INF/container.xml" in archive.namelist():
        with archive.open("META-INF/container.xml") as file:
            container = file.read(100_000).decode("utf-8", "replace")
        named = [one for one in songs if f'full-path="{one}"' in container]
        songs = named or songs
    return songs[0]
