"""Which voice a person chose for which track: `2=demo-low`, `Harmony=demo-low`, `Harmony=/banks/alto`."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence

from quincunx_orchestrator.score.model import Track
from quincunx_shared.errors import BadInput


def voices_by_track(tracks: Sequence[Track], choices: Sequence[str]) -> Mapping[int, str]:
    """Return the chosen voice of each track, by its place in the score.

    A choice is `TRACK=VOICE`; TRACK is a number from 1 or the track's name, whose case does not count. A track whose
    name holds a `=` is chosen by its number. Raises `BadInput` for what is no choice, names no track or several, or
    chooses two voices for one track.
    """
    chosen: dict[int, str] = {}
    for choice in choices:
        written, equals, voice = choice.partition("=")
        if not (equals and written.strip() and voice.strip()):
            raise BadInput("this is not TRACK=VOICE", where=_flag(choice), remedy="such as --voice-for 2=demo-low")
        number = _track_number(tracks, written.strip(), _flag(choice))
        if chosen.setdefault(number, voice.strip()) != voice.strip():
            raise BadInput(
                f"track {number + 1} already has the voice {chosen[number]!r}",
                where=_flag(choice),
                remedy="choose one voice a track",
            )
    return chosen


def _flag(choice: str) -> str:
    return f"--voice-for {choice}"


def _track_number(tracks: Sequence[Track], written: str, where: str) -> int:
    """Find a track by its number or its name."""
    named = [number for number, track in enumerate(tracks) if _folded(track.name) == _folded(written)]
    counted = [int(written) - 1] if written.isascii() and written.isdigit() and len(written) < 6 else []
    found = sorted({*named, *(number for number in counted if 0 <= number < len(tracks))})
    if len(found) == 1:
        return found[0]
    there = "; ".join(f"{number}: {track.name}" for number, track in enumerate(tracks, 1))
    if found:
        several = " and ".join(str(number + 1) for number in found)
        raise BadInput(f"{written!r} is track {several}", where=where, remedy=f"rename one; the tracks are {there}")
    raise BadInput(f"there is no track {written!r}", where=where, remedy=f"the tracks are {there}")


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip().casefold()
