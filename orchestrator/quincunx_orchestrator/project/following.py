"""How edits follow their phrases when the notes change: who keeps most of the notes inherits.

A phrase without an heir leaves its edits under its name. They wait there, and are back when its music is.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence

from quincunx_orchestrator.project.score_edits import Tracked
from quincunx_orchestrator.score.model import Score
from quincunx_orchestrator.score.phrasing import Phrase, phrases_of
from quincunx_orchestrator.song.phrase_names import names_of

#: Name of a phrase → what its notes are known by.
Members = Mapping[str, frozenset[Hashable]]


def marked(tracked: Tracked) -> dict[str, frozenset[Hashable]]:
    """The phrases of a score by name, each with the marks of its notes."""
    phrases = phrases_of(tracked.score)
    marks = tracked.keys()
    return {
        name: frozenset(marks[key] for key in _keys(phrase))
        for name, phrase in zip(names_of(phrases), phrases, strict=True)
    }


def timed(score: Score) -> dict[str, frozenset[Hashable]]:
    """The phrases of a score by name, each with the places of its notes: all that two files have in common."""
    phrases = phrases_of(score)
    return {name: frozenset(_keys(phrase)) for name, phrase in zip(names_of(phrases), phrases, strict=True)}


def heirs(before: Members, now: Members) -> dict[str, str]:
    """Return former name → name for every phrase that has another one now; one phrase inherits from one.

    A name that belongs to another phrase now is left: the edits that wait under it wait under its next repetition.
    """
    shared = sorted(
        (-len(notes & others), former != name, former, name)
        for former, notes in before.items()
        for name, others in _touched(now, notes)
    )
    found: dict[str, str] = {}
    taken: set[str] = set()
    for _, _, former, name in shared:
        if former not in found and name not in taken:
            found[former] = name
            taken.add(name)
    for former in before:
        if former not in found and former in taken:
            found[former] = _next_repetition(former, {*before, *now, *found.values()})
    return {former: name for former, name in found.items() if former != name}


def _touched(now: Members, notes: frozenset[Hashable]) -> Iterable[tuple[str, frozenset[Hashable]]]:
    return ((name, others) for name, others in now.items() if notes & others)


def _next_repetition(name: str, used: set[str]) -> str:
    stem = name.partition(".")[0]
    return next(f"{stem}.{number}" for number in range(2, len(used) + 3) if f"{stem}.{number}" not in used)


def _keys(phrase: Phrase) -> Sequence[tuple[int, int]]:
    return [(phrase.track, phrase.anchor_tick + tick) for tick in phrase.timing.start_ticks]


def heirs_of_files(before: Score, now: Score) -> dict[str, str]:
    """Return the heirs in a newer file of the song: the same music is the same phrase, wherever it stands."""
    old, new = timed(before), timed(now)
    return heirs(
        {name: notes for name, notes in old.items() if name not in new},
        {name: notes for name, notes in new.items() if name not in old},
    )
