"""Editing: requests of a person become the changes of one unit, each checked where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from quincunx_orchestrator.core.segment import Segment
from quincunx_orchestrator.project import changes, requests
from quincunx_orchestrator.project.edited_score import Wish
from quincunx_orchestrator.project.folding import State, after, fold
from quincunx_orchestrator.project.following import heirs, marked
from quincunx_orchestrator.project.operands import Operand
from quincunx_orchestrator.project.places import note_at, note_of_phrase, phrase_named
from quincunx_orchestrator.project.saying import said
from quincunx_orchestrator.project.score_requests import score_change
from quincunx_orchestrator.project.segments import named_segment
from quincunx_orchestrator.project.values import Project
from quincunx_orchestrator.score.phrasing import Phrase, phrases_of
from quincunx_orchestrator.score.transcript import Transcript
from quincunx_orchestrator.song.phrase_names import names_of
from quincunx_shared.errors import BadInput


class Stage(Protocol):
    """What editing asks of the world: the graph of a phrase, what a model last gave, values of files, voices."""

    def edited(self, state: State, phrase: str, wishes: Sequence[Wish]) -> Segment:
        """Return a phrase with its edits. Raises `BadInput` where one does not fit."""

    def output(self, state: State, phrase: str, target: tuple[str, str]) -> str | None:
        """Return the digest of what a port gives now, as far as that is known."""

    def operand(self, value: requests.Value) -> Operand:
        """Return a value as a project holds it, files read."""

    def check_voice(self, name: str) -> None:
        """Refuse a voice that is not installed."""


@dataclass
class Editor:
    """Collects the changes of one unit."""

    state: State
    stage: Stage
    unit: int
    made: list[changes.Change] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    touched: dict[str, None] = field(default_factory=dict)
    cut: dict[str, frozenset[object]] = field(default_factory=dict)
    _stale: bool = False

    def apply(self, request: requests.Request) -> None:
        """Carry out one request. Raises `BadInput` where it does not fit."""
        if isinstance(request, _GRAPH):
            self._graph(request)
            return
        change = score_change(self.state.score, request, self._note, self.stage.check_voice)
        self._push(change)
        self._stale = True

    def finish(self) -> None:
        """Let the edits of graphs follow their phrases, and check every graph that was touched as it is at the end."""
        self._follow()
        for phrase in self.touched:
            if self.state.wishes.get(phrase):
                self.stage.edited(self.state, phrase, self.state.wishes[phrase])

    def _push(self, change: changes.Change) -> None:
        self.state = after(self.state, change, "", self.unit)
        self.made.append(change)

    def _follow(self) -> None:
        if not self._stale:
            return
        now = marked(self.state.tracked)
        names = {former: name for former, name in heirs(self.cut, now).items() if former in self.state.wishes}
        if names:
            self._push(changes.Follow(names))
        self.notices += [f"the edits of {former} are those of {name} now" for former, name in names.items()]
        waiting = [name for name in self.state.wishes if name in self.cut and name not in now]
        self.notices += [
            f"the edits of {name} wait for its music to come back" for name in waiting if name not in names
        ]
        self.touched = dict.fromkeys(names.get(name, name) for name in (*self.touched, *names))
        self.cut, self._stale = now, False

    def _phrases(self) -> tuple[Sequence[str], Sequence[Phrase]]:
        self._follow()
        phrases = phrases_of(self.state.score)
        return names_of(phrases), phrases

    def _phrase(self, written: str) -> str:
        if isinstance(self.state.song, Transcript):
            return named_segment(self.state.song, written)
        names, phrases = self._phrases()
        return names[phrase_named(self.state.score, names, phrases, written)]

    def _note(self, written: str) -> tuple[int, int]:
        phrase, hash_sign, number = written.rpartition("#")
        if not hash_sign:
            return note_at(self.state.score, written)
        names, phrases = self._phrases()
        found = phrases[phrase_named(self.state.score, names, phrases, phrase)]
        return note_of_phrase(self.state.score, found, number)

    def _graph(self, request: requests.Request) -> None:
        phrase = self._phrase(getattr(request, "phrase"))  # noqa: B009 - every request on a graph has one
        wish = self._wish(request, phrase)
        self._push(changes.ChangeGraph(phrase, wish))
        self.touched[phrase] = None

    def _wish(self, request: requests.Request, phrase: str) -> changes.GraphWish:
        match request:
            case requests.Option(_, option, value):
                return changes.SetOption(*_port(option, "node.option"), value)
            case requests.AddStep(_, node, step, options):
                return changes.PutNode(node, step, options)
            case requests.RemoveStep(_, node):
                return changes.TakeNode(node)
            case requests.AddLine(_, source, target):
                return changes.Connect(_port(source), _port(target))
            case requests.RemoveLine(_, source, target):
                return changes.Disconnect(_port(source), _port(target))
            case requests.BypassStep(_, node, way):
                return _bypass(node, way)
            case requests.ClearPort(_, port):
                return changes.Clear(_port(port))
            case requests.FillInput(_, port, value):
                return changes.GiveInput(_port(port), self.stage.operand(value))
            case requests.LayOn() | requests.MaskOn():
                return self._lay(request, phrase)
            case _:
                raise AssertionError(request)

    def _lay(self, request: requests.LayOn | requests.MaskOn, phrase: str) -> changes.Lay:
        target = _port(request.port)
        drawn_on = None
        if request.op == "override":
            drawn_on = self.stage.output(self.state, phrase, target)
            if drawn_on is None:
                self.notices.append(f"what {request.port} of {phrase} gives is not known yet: no conflict will be seen")
        return changes.Lay(
            request.op,
            target,
            self.stage.operand(_level(request)),
            self.stage.operand(request.user) if isinstance(request, requests.MaskOn) else None,
            scope=_port(request.consumer) if request.consumer else None,
            drawn_on=drawn_on,
        )


def _level(request: requests.LayOn | requests.MaskOn) -> requests.Value:
    """Return what is laid; a number that replaces a value is a level curve, which takes the length of the value."""
    if request.op == "override" and isinstance(request.value, int | float):
        return requests.CurveValue({"points": [[0.0, float(request.value)]], "interpolation": "linear"})
    return request.value


_GRAPH = (
    requests.Option,
    requests.AddStep,
    requests.RemoveStep,
    requests.AddLine,
    requests.RemoveLine,
    requests.BypassStep,
    requests.LayOn,
    requests.MaskOn,
    requests.ClearPort,
    requests.FillInput,
)


def edit(
    project: Project, asked: Sequence[tuple[str, requests.Request]], stage: Stage, at: str
) -> tuple[Project, tuple[str, ...]]:
    """Return the project after the requests, which are one unit, and what is to be said aloud.

    `asked` are the requests with their places, for errors. Raises `BadInput` naming the one that does not fit.
    """
    state = fold(project)
    number = max((unit.number for unit in project.units), default=0) + 1
    cut = {} if isinstance(state.song, Transcript) else marked(state.song)
    editor = Editor(state, stage, number, cut=cut)
    for where, request in asked:
        try:
            editor.apply(request)
        except BadInput as error:
            within = f"{where}: {error.where}" if error.where else where
            raise BadInput(error.what, where=within, remedy=error.remedy) from error
    try:
        editor.finish()
    except BadInput as error:
        where = asked[-1][0] if len(asked) == 1 else f"after {asked[-1][0]}"
        raise BadInput(error.what, where=f"{where}: {error.where}", remedy=error.remedy) from error
    lines = [said(request) for _, request in asked]
    return project.push(at, lines, editor.made), tuple(editor.notices)


def _port(written: str, form: str = "node.port") -> tuple[str, str]:
    node, _, port = written.rpartition(".")
    if not node or not port:
        raise BadInput(f"{written[:40]!r} is no {form}", remedy=f"write {form}, such as pitch.f0")
    return node, port


def _bypass(node: str, way: str) -> changes.SetBypass:
    if way in ("mute", "off"):
        return changes.SetBypass(node, off=way == "off", mute=way == "mute")
    pairs = [one.partition("=") for one in way.split(",")]
    if not all(output and taken for output, _, taken in pairs):
        raise BadInput(f"{way[:40]!r} is no way around a node", remedy="write mute, off, or OUTPUT=INPUT")
    return changes.SetBypass(node, pass_through={output: taken for output, _, taken in pairs})
