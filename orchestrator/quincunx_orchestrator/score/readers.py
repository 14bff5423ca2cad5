"""Which song formats there are, and how a file becomes a score."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import TypeAlias

from quincunx_orchestrator.score.ds import read_ds
from quincunx_orchestrator.score.formats import SIZE_LIMIT, ScoreFormat
from quincunx_orchestrator.score.midi import read_midi
from quincunx_orchestrator.score.midi_writer import write_midi
from quincunx_orchestrator.score.model import Score
from quincunx_orchestrator.score.musicxml import read_musicxml
from quincunx_orchestrator.score.musicxml_writer import write_musicxml
from quincunx_orchestrator.score.transcript import Transcript
from quincunx_orchestrator.score.ust import UST
from quincunx_orchestrator.score.ustx import USTX
from quincunx_shared.errors import BadScore

MIDI = ScoreFormat("MIDI with lyrics", read_midi, write_midi)
MUSICXML = ScoreFormat("MusicXML", read_musicxml, write_musicxml)
COMPRESSED_MUSICXML = ScoreFormat("compressed MusicXML", read_musicxml)

#: By suffix, in lower case. A new format is a module of its own and a row here.
SCORE_FORMATS: Mapping[str, ScoreFormat] = {
    ".ustx": USTX,
    ".ust": UST,
    ".mid": MIDI,
    ".midi": MIDI,
    ".kar": MIDI,
    ".musicxml": MUSICXML,
    ".xml": MUSICXML,
    ".mxl": COMPRESSED_MUSICXML,
}

#: Songs without notes to cut, ready to be sung segment by segment.
TRANSCRIPT_SUFFIX = ".ds"

#: A song as a file has it.
Song: TypeAlias = Score | Transcript


def read_song(name: str, raw: bytes, formats: Mapping[str, ScoreFormat] = SCORE_FORMATS) -> Song:
    """Return the song of a file, notes or ready segments, whose format its suffix names. Raises `BadScore`."""
    if PurePath(name).suffix.lower() != TRANSCRIPT_SUFFIX:
        return read_score(name, raw, formats)
    _check_size(name, raw)
    return read_ds(raw, name)


def read_score(name: str, raw: bytes, formats: Mapping[str, ScoreFormat] = SCORE_FORMATS) -> Score:
    """Return the notes of a file, whose format its suffix names. Raises `BadScore`."""
    suffix = PurePath(name).suffix.lower()
    if suffix == TRANSCRIPT_SUFFIX:
        raise BadScore(
            "a .ds file holds phonemes and pitch, not notes", where=name, remedy="it can be rendered as it is"
        )
    if suffix not in formats:
        what = f"{suffix!r} is no song format we read" if suffix else "the name does not say which format this is"
        raise BadScore(what, where=name, remedy=f"known: {', '.join(sorted([*formats, TRANSCRIPT_SUFFIX]))}")
    _check_size(name, raw)
    return formats[suffix].read(raw, name)


def _check_size(name: str, raw: bytes) -> None:
    if len(raw) > SIZE_LIMIT:
        what = f"{len(raw) / 1e6:.0f} MB are too large for a song; at most {SIZE_LIMIT / 1e6:.0f} MB are read"
        raise BadScore(what, where=name)
