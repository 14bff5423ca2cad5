"""Folding: the score as imported and the units in effect make the song as it is.

The base is never touched, so that undoing everything is the song as it was imported, bit for bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from quincunx_orchestrator.project.changes import (
    Change,
    ChangeGraph,
    Follow,
    KeptSong,
    ReplaceScore,
    Restore,
    Source,
)
from quincunx_orchestrator.project.edited_score import EditedScore, EditedSong, EditedTranscript, Wish
from quincunx_orchestrator.project.score_edits import Tracked, edited
from quincunx_orchestrator.project.segments import no_notes
from quincunx_orchestrator.project.values import Project
from quincunx_orchestrator.score.model import Score
from quincunx_orchestrator.score.phrasing import phrases_of
from quincunx_orchestrator.score.transcript import Transcript
from quincunx_orchestrator.song.phrase_names import names_of
from quincunx_orchestrator.song.transcript_names import label_of, segment_names
from quincunx_shared.errors import BadInput


@dataclass(frozen=True)
class State:
    """A project's song as it is."""

    song: Tracked | Transcript
    source: Source
    wishes: Mapping[str, tuple[Wish, ...]] = field(default_factory=dict)

    @property
    def tracked(self) -> Tracked:
        """The notes as they are, marked. Raises `BadInput` for a song without notes."""
        if isinstance(self.song, Transcript):
            raise no_notes()
        return self.song

    @property
    def score(self) -> Score:
        """The notes as they are. Raises `BadInput` for a song without notes."""
        return self.tracked.score

    def phrases(self) -> dict[str, str]:
        """Return what can be edited: the names of phrases, or of segments, and their labels."""
        if isinstance(self.song, Transcript):
            return dict(zip(segment_names(self.song), map(label_of, self.song.segments), strict=True))
        phrases = phrases_of(self.score)
        return {name: phrase.label for name, phrase in zip(names_of(phrases), phrases, strict=True)}

    def edited_song(self, source: str, voices: Mapping[str, str]) -> EditedSong:
        """Return the song as it can be rendered."""
        if isinstance(self.song, Transcript):
            said = self.song.segments, self.song.notices, source
            return EditedTranscript(*said, wishes=self.wishes, source=source, voices_then=voices)
        members = {one.name: getattr(self.score, one.name) for one in fields(Score)}
        return EditedScore(**members, wishes=self.wishes, source=source, voices_then=voices)


def fold(project: Project) -> State:
    """Return the song as it is. Raises `BadInput` at the change that does not fit."""
    state = State(_opened(project.score), project.source)
    places = {unit.number: place for place, unit in enumerate(project.units)}
    for unit in project.in_effect():
        for number, change in enumerate(unit.changes):
            where = f"units[{places[unit.number]}].changes[{number}]"
            try:
                state = after(state, change, where, unit.number)
            except BadInput as error:
                raise BadInput(error.what, where=where, remedy=error.remedy) from error
    return state


def after(state: State, change: Change, where: str, unit: int) -> State:
    """Return the state after one change."""
    match change:
        case ChangeGraph(phrase, wish):
            wishes = (*state.wishes.get(phrase, ()), Wish(wish, where, unit))
            return State(state.song, state.source, {**state.wishes, phrase: wishes})
        case Follow(names):
            return State(state.song, state.source, _following(state.wishes, names))
        case ReplaceScore(score, source):
            return State(_opened(score), source, state.wishes)
        case Restore():
            return state
        case _:
            return State(edited(state.tracked, change), state.source, state.wishes)


def _opened(song: KeptSong) -> Tracked | Transcript:
    return song if isinstance(song, Transcript) else Tracked.of(song)


def _following(wishes: Mapping[str, tuple[Wish, ...]], names: Mapping[str, str]) -> dict[str, tuple[Wish, ...]]:
    """Move wishes to the new names of their phrases; where some wait already, those come first."""
    moved = {name: found for name, found in wishes.items() if name not in names}
    for former, name in names.items():
        if former in wishes:
            moved[name] = (*moved.get(name, ()), *wishes[former])
    return moved
