"""What a song holds that a format cannot: counted while it is written, told in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from quincunx_orchestrator.score.model import Note, Score
from quincunx_orchestrator.score.ustx_notes import read_lyric
from quincunx_shared.phrase import Lyric


def counted(count: int, noun: str) -> str:
    """Return `1 note` or `2 notes`."""
    return f"{count} {noun}{'s' if count != 1 else ''}"


def sentences(counts: Mapping[str, int]) -> tuple[str, ...]:
    """Say what is lost: each noun with how often it occurs."""
    return tuple(f"left out: {counted(count, noun)}" for noun, count in counts.items() if count)


def notes_of_song(score: Score) -> Iterator[Note]:
    """Yield all notes of a song."""
    for part in score.parts:
        yield from part.notes


def drawn_curves(score: Score, beside: frozenset[str] = frozenset()) -> int:
    """How many curves are drawn, or are not at rest without being drawn; those `beside` do not count."""
    return sum(name not in beside for part in score.parts for name in part.curves)


def mixing_settings(score: Score) -> int:
    """How many tracks have a volume, a pan, a mute or a solo of their own."""
    return sum(bool(one.volume_db or one.pan or one.mute or one.solo) for one in score.tracks)


def tempo_ramps(score: Score) -> int:
    """How many tempos change gradually."""
    return sum(event.end_bpm is not None and event.end_bpm != event.bpm for event in score.tempos)


def written_lyric(lyric: Lyric, *, touching: bool) -> tuple[str, bool]:
    """Return a lyric as OpenUTAU writes it, with its hint in brackets, and whether it is read back as the same."""
    if not lyric.hint:
        return lyric.text, read_lyric(lyric.text, touching=touching) == lyric
    hint = f"[{' '.join(lyric.hint)}]"
    for written in (lyric.text + hint, hint + lyric.text):
        if read_lyric(written, touching=touching) == lyric:
            return written, True
    return lyric.text + hint, False
