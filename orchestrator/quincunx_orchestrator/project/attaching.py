"""Wishes meet the graphs of their phrases: each becomes an operation of the core, on the graph as it is by then."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from quincunx_orchestrator.core.binding import bind_song
from quincunx_orchestrator.core.compiler import Compiler
from quincunx_orchestrator.core.graph import Bypass, Edge, Graph, Node, node_of
from quincunx_orchestrator.core.history import (
    AddEdge,
    AddNode,
    Batch,
    Intervene,
    Operation,
    RemoveEdge,
    RemoveInput,
    RemoveInterventions,
    RemoveNode,
    SetInput,
    UpdateNode,
)
from quincunx_orchestrator.core.segment import Segment
from quincunx_orchestrator.core.validation import check_steps, validate
from quincunx_orchestrator.project.edited_score import EditedSong, Wish
from quincunx_orchestrator.song.assembly import Assembly
from quincunx_orchestrator.song.phrase_graph import audio_of
from quincunx_orchestrator.song.voices import Voice
from quincunx_shared.canonical import digest_of
from quincunx_shared.errors import BadInput, CompileError
from quincunx_shared.hints import did_you_mean
from quincunx_shared.intervention import Intervention, Operator
from quincunx_shared.manifest import Manifest
from quincunx_shared.names import Digest, PortKey

if TYPE_CHECKING:
    from quincunx_orchestrator.project import changes


def attach(
    assembly: Assembly,
    song: EditedSong,
    voices: Iterable[Voice],
    manifests: Mapping[str, Manifest],
    operators: Mapping[str, Operator],
) -> Assembly:
    """Return the assembly with the edits of its phrases; of those that no phrase has now, a notice.

    Raises `BadInput` with the place in the project file for an edit that does not fit its graph.
    """
    changed = _changed_voices(song, voices)
    checker = Checker(manifests, operators)
    placed = tuple(
        replace(one, segment=checker.edited(one.segment, song.wishes[one.segment.id], song.source))
        if song.wishes.get(one.segment.id)
        else one
        for one in assembly.placed
    )
    notices = () if assembly.delivery.stretch else _waiting(song, {one.segment.id for one in placed})
    return replace(assembly, placed=placed, notices=(*assembly.notices, *changed, *notices))


def _changed_voices(song: EditedSong, singing: Iterable[Voice]) -> list[str]:
    """Say which voices are others than those the project was made with."""
    voices = {voice.name: voice for voice in singing}
    then = song.voices_then
    return [
        f"the voice {name!r} is not the one this project was made with: its files are others"
        for name, voice in voices.items()
        if name in then and then[name] != digest_of_voice(voice)
    ]


def digest_of_voice(voice: Voice) -> Digest:
    """Return a voice by content: every file of its bank that a step may need."""
    return digest_of(sorted(voice.files))


def _waiting(song: EditedSong, names: Iterable[str]) -> list[str]:
    there = {*names}
    return [
        f"{len(wishes)} edit{'s' if len(wishes) > 1 else ''} of {name} wait for its music to come back"
        for name, wishes in song.wishes.items()
        if name not in there and wishes
    ]


class Checker:
    """Edits segments, and refuses what could not be rendered."""

    def __init__(self, manifests: Mapping[str, Manifest], operators: Mapping[str, Operator]) -> None:
        self._manifests = manifests
        self._operators = operators
        # Which machine will render is of no matter here: nothing that is compiled here is kept.
        self._compiler = Compiler(manifests, "checked")

    def edited(self, segment: Segment, wishes: Sequence[Wish], source: str = "") -> Segment:
        """Return the segment with a history of one batch a unit."""
        sounding = audio_of(segment.graph)
        for _, unit in groupby(wishes, key=lambda one: one.unit):
            batch: list[Operation] = []
            inside, last = segment, ""
            for one in unit:
                last = f"{source}: {one.where} ({segment.label})" if source else segment.label
                operation = self._checked(inside, one.wish, last)
                inside = inside.with_operation(operation)
                batch.append(operation)
            segment = segment.with_operation(Batch(tuple(batch)))
            self._check(segment, sounding, last)
        return segment

    def _checked(self, segment: Segment, wish: changes.GraphWish, where: str) -> Operation:
        try:
            operation = operation_of(segment.effective.graph, wish, self._manifests)
            if isinstance(operation, AddNode | UpdateNode):
                check_steps(Graph.of([operation.node]), self._manifests)
            return operation
        except (BadInput, CompileError) as error:
            raise BadInput(error.what, where=where, remedy=error.remedy) from error

    def _check(self, segment: Segment, sounding: PortKey, where: str) -> None:
        """Refuse a graph that cannot be compiled, and one without the port that the mix reads."""
        graph = segment.effective.graph
        try:
            if sounding.node not in graph.nodes:
                raise BadInput(f"the mix reads {sounding}: bypass {sounding.node} instead of removing it")
            validate(graph)
            error = bind_song([segment], self._compiler, operators=self._operators).errors().get(segment.id)
        except (BadInput, CompileError) as found:
            error = found
        if error is not None:
            what = error.what if isinstance(error, BadInput | CompileError) else str(error)
            raise BadInput(what, where=where)


def operation_of(graph: Graph, wish: changes.GraphWish, manifests: Mapping[str, Manifest]) -> Operation:
    """Return a wish as an operation on a graph. Raises `BadInput`, with the nearest name, for what is not there."""
    return _MAKERS[wish.does](graph, wish, manifests)


def _set_option(graph: Graph, wish: changes.SetOption, manifests: Mapping[str, Manifest]) -> Operation:
    node = _node(graph, wish.node)
    manifest = manifests.get(node.step)
    known = {option.name for option in manifest.options} if manifest else set[str]()
    if wish.option not in known:
        raise BadInput(f"{wish.node} has no option {wish.option!r}{did_you_mean(wish.option, known)}")
    return UpdateNode(replace(node, options={**node.options, wish.option: wish.value}))


def _put_node(graph: Graph, wish: changes.PutNode, manifests: Mapping[str, Manifest]) -> Operation:
    if wish.node in graph.nodes:
        raise BadInput(f"there is a node {wish.node!r} already; choose another id")
    if "/" in wish.node or not wish.node:
        raise BadInput(f"{wish.node!r} is no id of a node; leave out `/`")
    if wish.step not in manifests:
        raise BadInput(f"there is no step {wish.step!r}{did_you_mean(wish.step, manifests)}")
    return AddNode(node_of(manifests[wish.step], wish.node, options=wish.options))


def _take_node(graph: Graph, wish: changes.TakeNode, _: Mapping[str, Manifest]) -> Operation:
    return RemoveNode(_node(graph, wish.node).id)


def _connect(graph: Graph, wish: changes.Connect, _: Mapping[str, Manifest]) -> Operation:
    return AddEdge(Edge(_output(graph, wish.source), _input(graph, wish.target)))


def _disconnect(graph: Graph, wish: changes.Disconnect, _: Mapping[str, Manifest]) -> Operation:
    edge = Edge(_output(graph, wish.source), _input(graph, wish.target))
    if edge not in graph.edges:
        raise BadInput(f"there is no edge {edge}{did_you_mean(str(edge), map(str, graph.edges))}")
    return RemoveEdge(edge)


def _set_bypass(graph: Graph, wish: changes.SetBypass, _: Mapping[str, Manifest]) -> Operation:
    node = _node(graph, wish.node)
    for given, taken in wish.pass_through.items():
        _output(graph, (wish.node, given))
        _input(graph, (wish.node, taken))
    bypass = None if wish.off else Bypass(mute=wish.mute, pass_through=dict(wish.pass_through))
    return UpdateNode(replace(node, bypass=bypass))


def _lay(graph: Graph, wish: changes.Lay, _: Mapping[str, Manifest]) -> Operation:
    operand, user = wish.operand.encoded(), wish.user.encoded() if wish.user else None
    if (wish.law == "mask") != (user is not None):
        raise BadInput("a mask needs the value that it lets through, and nothing else does")
    target = _output(graph, wish.target)
    scope = _input(graph, wish.scope) if wish.scope else None
    if scope is not None and Edge(target, scope) not in graph.edges:
        known = [str(one) for one in graph.consumers.get(target, ())]
        raise BadInput(f"{scope} does not read {target}{did_you_mean(str(scope), known)}")
    laid = Intervention(
        target, wish.law, operand.ref, user.ref if user else None, wish.operator, scope, _digest(wish.drawn_on)
    )
    return Intervene(laid, tuple(one for one in (operand, user) if one is not None))


def _clear(graph: Graph, wish: changes.Clear, _: Mapping[str, Manifest]) -> Operation:
    return RemoveInterventions(_output(graph, wish.target))


def _give_input(graph: Graph, wish: changes.GiveInput, _: Mapping[str, Manifest]) -> Operation:
    key = _input(graph, wish.target)
    return RemoveInput(key) if wish.value is None else SetInput(key, wish.value.encoded())


#: By what a wish does.
_MAKERS: Mapping[str, Callable[..., Operation]] = {
    "set_option": _set_option,
    "add_node": _put_node,
    "remove_node": _take_node,
    "add_edge": _connect,
    "remove_edge": _disconnect,
    "bypass": _set_bypass,
    "lay": _lay,
    "clear": _clear,
    "set_input": _give_input,
}


def _digest(text: str | None) -> Digest | None:
    return None if text is None else Digest(text)


def _node(graph: Graph, name: str) -> Node:
    if name not in graph.nodes:
        raise BadInput(f"there is no node {name!r}{did_you_mean(name, graph.nodes)}")
    return graph.nodes[name]


def _output(graph: Graph, key: tuple[str, str]) -> PortKey:
    return _port(key, _node(graph, key[0]).outputs, "output")


def _input(graph: Graph, key: tuple[str, str]) -> PortKey:
    return _port(key, _node(graph, key[0]).inputs, "input")


def _port(key: tuple[str, str], ports: Sequence[str], word: str) -> PortKey:
    if key[1] not in ports:
        raise BadInput(f"{key[0]} has no {word} {key[1]!r}{did_you_mean(key[1], ports)}")
    return PortKey(*key)
