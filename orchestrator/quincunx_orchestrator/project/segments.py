"""What a project of a .ds file is edited by: its segments. It has no notes, and says so to who looks for them."""

from __future__ import annotations

import unicodedata
from collections.abc import Hashable, Sequence

from quincunx_orchestrator.project.following import heirs
from quincunx_orchestrator.score.ds import read_ds
from quincunx_orchestrator.score.ds_writer import write_ds
from quincunx_orchestrator.score.transcript import Transcript
from quincunx_orchestrator.song.transcript_names import label_of, segment_names
from quincunx_shared.errors import BadInput
from quincunx_shared.hints import did_you_mean


def no_notes() -> BadInput:
    """Return the refusal of an edit of notes."""
    what = "the song of this project is a .ds file: it holds phonemes and pitch, not notes"
    return BadInput(what, remedy='edit what its steps read, as in "offset 1 frames.f0 20", or take a newer file in')


def check_transcript(transcript: Transcript, where: str) -> None:
    """Refuse what no .ds file could say. Raises `BadInput` with its place."""
    read_ds(write_ds(transcript), where)


def named_segment(transcript: Transcript, written: str) -> str:
    """Return the name of the segment that is meant: by name, by number from 1, by a part of its label."""
    names = segment_names(transcript)
    if written in names:
        return written
    if written.isascii() and written.isdigit() and len(written) < 7:
        if not 1 <= int(written) <= len(names):
            raise BadInput(f"there is no segment {written}; there are {len(names)}")
        return names[int(written) - 1]
    labels = [label_of(one) for one in transcript.segments]
    found = _labelled(labels, written)
    if len(found) == 1:
        return names[found[0]]
    if found:
        raise BadInput(f"{len(found)} segments are called {written[:40]!r}", remedy="use a name, or a number from 1")
    raise BadInput(f"there is no segment {written[:40]!r}{did_you_mean(written, [*names, *labels])}")


def heirs_of_transcripts(before: Transcript, now: Transcript) -> dict[str, str]:
    """Return former name → name in a newer file: who begins at the same time, or else sings the same phonemes."""
    old, new = dict(zip(segment_names(before), before.segments, strict=True)), segment_names(now)
    later = dict(zip(new, now.segments, strict=True))
    marks: list[dict[str, frozenset[Hashable]]] = [
        {
            name: frozenset((("at", round(one.offset, 3)), ("sings", one.ph_seq)))
            for name, one in mine.items()
            if name not in others
        }
        for mine, others in ((old, later), (later, old))
    ]
    return heirs(marks[0], marks[1])


def _labelled(labels: Sequence[str], written: str) -> list[int]:
    wanted = _folded(written)
    exact = [place for place, label in enumerate(labels) if _folded(label) == wanted]
    return exact or [place for place, label in enumerate(labels) if wanted in _folded(label)]


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip().casefold()
