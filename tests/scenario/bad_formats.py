"""Wrong song files of the formats besides .ustx, by what is wrong with them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

from tests.scenario.bad_songs import Wrong, folder, sparse, written

_HEAD = b"MThd\0\0\0\6\0\0\0\1\1\xe0"


def midi(events: bytes, *, length: int = -1, head: bytes = _HEAD) -> bytes:
    """A MIDI file of one track, whose length may lie."""
    return head + b"MTrk" + (len(events) if length < 0 else length).to_bytes(4, "big") + events


def xml(body: str) -> str:
    """A MusicXML document of one part."""
    parts = '<part-list><score-part id="P1"><part-name>P</part-name></score-part></part-list>'
    return f'<score-partwise>{parts}<part id="P1"><measure number="1">{body}</measure></part></score-partwise>'


def noted(duration: str = "4", step: str = "C", octave: str = "4") -> str:
    """A MusicXML document of one note."""
    time = "<attributes><divisions>1</divisions></attributes>"
    pitch = f"<pitch><step>{step}</step><octave>{octave}</octave></pitch>"
    return xml(f"{time}<note>{pitch}<duration>{duration}</duration></note>")


def packed(name: str, content: str | bytes) -> bytes:
    """A compressed MusicXML file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr(name, content)
    return buffer.getvalue()


_LAUGHS = "".join(f'<!ENTITY l{level} "{f"&l{level - 1};" * 9}">' for level in range(1, 10))
_ON, _OFF, _END = b"\0\x90\x3c\x40", b"\x83\x60\x80\x3c\x40", b"\0\xff\x2f\0"

MIDI: Mapping[str, Wrong] = {
    "an empty file": Wrong(written("song.mid", b""), "no MIDI file"),
    "a project of another program": Wrong(written("song.mid", "ustx_version: 0.9"), "no MIDI file"),
    "a track that is cut": Wrong(written("song.mid", midi(_ON, length=400)), "damaged"),
    "a length that lies": Wrong(written("song.mid", midi(_ON, length=2**32 - 1)), "damaged"),
    "a text that lies": Wrong(written("song.mid", midi(b"\0\xff\x01\xff\xff\xff\x7f")), "damaged"),
    "frames of film": Wrong(
        written("song.mid", midi(_ON + _OFF + _END, head=b"MThd\0\0\0\6\0\0\0\1\xe7\x28")), "frames of film"
    ),
    "a song of years": Wrong(written("song.mid", midi(_ON + b"\xff\xff\xff\x7f\x80\x3c\x40" + _END)), "6 hours"),
    "no notes": Wrong(written("song.mid", midi(_END)), ""),
    "seven megabytes": Wrong(written("song.mid", midi(_ON * 1_800_000)), "too large for a MIDI song"),
    "a folder": Wrong(folder("song.mid"), "this is a folder"),
    "ten sparse gigabytes": Wrong(sparse("song.mid"), "too large for a song"),
}

MUSICXML: Mapping[str, Wrong] = {
    "an empty file": Wrong(written("song.musicxml", ""), "not XML"),
    "a page of the web": Wrong(written("song.musicxml", "<html><p>404</html>"), "not XML"),
    "another document": Wrong(written("song.musicxml", "<html/>"), "song.musicxml"),
    "a billion laughs": Wrong(
        written("song.musicxml", f'<!DOCTYPE a [<!ENTITY l0 "lol">{_LAUGHS}]><a>&l9;</a>'), "defines entities"
    ),
    "a file from outside": Wrong(
        written("song.musicxml", '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>'), "defines entities"
    ),
    "3,000 levels": Wrong(written("song.musicxml", "<a>" * 3000), "deep in each other"),
    "seven million elements": Wrong(written("song.musicxml", xml("<a/>" * 7_000_000)), "too many for a song"),
    "a million attributes": Wrong(
        written("song.musicxml", "<a " + " ".join(f'a{number}=""' for number in range(1_000_000)) + "/>"),
        "a tag is longer",
    ),
    "a bomb": Wrong(written("song.mxl", packed("a.xml", xml("<a/>" * 7_000_000))), "too many for a song"),
    "a larger bomb": Wrong(written("song.mxl", packed("a.xml", b" " * 100_000_000)), "too large for a song"),
    "a cut archive": Wrong(written("song.mxl", packed("a.xml", noted())[:-30]), "damaged"),
    "no document inside": Wrong(written("song.mxl", packed("readme.txt", "hello")), "no .musicxml"),
    "a negative duration": Wrong(written("song.musicxml", noted(duration="-4")), "song.musicxml"),
    "a duration that is no number": Wrong(written("song.musicxml", noted(duration="nan")), "song.musicxml"),
    "a duration beyond all": Wrong(written("song.musicxml", noted(duration="1e999")), "song.musicxml"),
    "6,000 digits": Wrong(written("song.musicxml", noted(duration="9" * 6000)), "song.musicxml"),
    "an octave beyond all": Wrong(written("song.musicxml", noted(octave="9" * 5000)), "song.musicxml"),
    "an encoding of nobody": Wrong(written("song.musicxml", '<?xml version="1.0" encoding="klingon"?><a/>'), "not XML"),
}


def ust(**changes: str) -> str:
    """A song of UTAU with one note."""
    note = {"Length": "480", "Lyric": "a", "NoteNum": "60", **changes}
    lines = "".join(f"{key}={written}\n" for key, written in note.items())
    return f"[#VERSION]\nUST Version1.2\n[#SETTING]\nTempo=120\n[#0000]\n{lines}[#TRACKEND]\n"


UST: Mapping[str, Wrong] = {
    "an empty file": Wrong(written("song.ust", ""), "song.ust"),
    "bytes of no encoding": Wrong(written("song.ust", b"[#0000]\nLyric=\xff\xfe\x81\n"), "Shift-JIS"),
    "no sections": Wrong(written("song.ust", "Length=480\n"), "song.ust:1"),
    "a negative duration": Wrong(written("song.ust", ust(Length="-480")), "[#0000].Length"),
    "a duration of zero": Wrong(written("song.ust", ust(Length="0")), "[#0000].Length"),
    "a duration that is no number": Wrong(written("song.ust", ust(Length="nan")), "[#0000].Length"),
    "a duration beyond all": Wrong(written("song.ust", ust(Length="1e999")), "[#0000].Length"),
    "6,000 digits": Wrong(written("song.ust", ust(Length="9" * 6000)), "[#0000].Length"),
    "a tone beyond all": Wrong(written("song.ust", ust(NoteNum="128")), "[#0000].NoteNum"),
    "a song of days": Wrong(written("song.ust", ust(Length="900000000")), "6 hours"),
    "10,000,000 pitch points": Wrong(written("song.ust", ust(PBS="0", PBW="8," * 9_900_000)), "too many for a song"),
    "10,000 pitch points on a note": Wrong(written("song.ust", ust(PBS="0", PBW="8," * 10_000)), "[#0000].PBW"),
    "a million sections": Wrong(written("song.ust", "[#0000]\n" * 1_000_000), "400,000 lines"),
    "ten sparse gigabytes": Wrong(sparse("song.ust"), "too large for a song"),
}

_PROJECT = '{"quincunx_project": 1, '

PROJECTS: Mapping[str, Wrong] = {
    "an empty file": Wrong(written("song.qxp", ""), "song.qxp"),
    "an empty mapping": Wrong(written("song.qxp", "{}"), "`quincunx_project` is missing"),
    "a version of tomorrow": Wrong(written("song.qxp", '{"quincunx_project": 99}'), "version 99"),
    "not UTF-8": Wrong(written("song.qxp", b'{"quincunx_project": 1, "\xff": 1}'), "UTF-8"),
    "a key twice": Wrong(written("song.qxp", _PROJECT + '"quincunx_project": 1}'), "twice"),
    "100,000 levels": Wrong(written("song.qxp", _PROJECT + '"score": ' + "[" * 100_000), "nest"),
    "a number that is none": Wrong(written("song.qxp", _PROJECT + '"score": NaN}'), "song.qxp"),
    "a number beyond all": Wrong(written("song.qxp", _PROJECT + '"source": 1e999}'), "song.qxp"),
    "6,000 digits": Wrong(written("song.qxp", _PROJECT + f'"score": {"9" * 6000}}}'), "song.qxp"),
    "a field of nobody": Wrong(written("song.qxp", _PROJECT + '"evil": 1}'), "song.qxp"),
    "five million lists": Wrong(written("song.qxp", _PROJECT + '"score": [' + "[]," * 5_000_000 + "[]]}"), "song.qxp"),
    "a cut file": Wrong(written("song.qxp", _PROJECT + '"score": {'), "song.qxp"),
    "ten sparse gigabytes": Wrong(sparse("song.qxp"), "too large for a"),
}
