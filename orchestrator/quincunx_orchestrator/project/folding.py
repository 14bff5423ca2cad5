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
    ReplaceScore,
    Restore,
    Source,
)
from quincunx_orchestrator.project.edited_score import EditedScore, Wish
from quincunx_orchestrator.project.score_edits import Tracked, edited
from quincunx_orchestrator.project.values import Project
from quincunx_orchestrator.score.model import Score
from quincunx_shared.errors import BadInput


@dataclass(frozen=True)
class State:
    """A project's song as it is."""

    tracked: Tracked
    source: Source
    wishes: Mapping[str, tuple[Wish, ...]] = field(default_factory=dict)

    @property
    def score(self) -> Score:
        """The notes as they are."""
        return self.tracked.score

    def edited_score(self, source: str, voices: Mapping[str, str]) -> EditedScore:
        """Return the song as it can be rendered."""
        members = {one.name: getattr(self.score, one.name) for one in fields(Score)}
        return EditedScore(**members, wishes=self.wishes, source=source, voices_then=voices)


def fold(project: Project) -> State:
    """Return the song as it is. Raises `BadInput` at the change that does not fit."""
    state = State(Tracked.of(project.score), project.source)
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
            return State(state.tracked, state.source, {**state.wishes, phrase: wishes})
        case Follow(names):
            return State(state.tracked, state.source, _following(state.wishes, names))
        case ReplaceScore(score, source):
            return State(Tracked.of(score), source, state.wishes)
        case Restore():
            return state
        case _:
            return State(edited(state.tracked, change), state.source, state.wishes)


def _following(wishes: Mapping[str, tuple[Wish, ...]], names: Mapping[str, str]) -> dict[str, tuple[Wish, ...]]:
    """Move wishes to the new names of their phrases; where some wait already, those come first."""
    moved = {name: found for name, found in wishes.items() if name not in names}
    for former, name in names.items():
        if former in wishes:
            moved[name] = (*moved.get(name, ()), *wishes[former])
    return moved
