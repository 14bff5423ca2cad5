"""Random graphs, songs and edits."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import strategies as st

from quincunx_orchestrator.core.graph import Edge, Graph, Node, node_of
from quincunx_orchestrator.core.operations import (
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
)
from quincunx_orchestrator.core.segment import Segment
from quincunx_shared.intervention import Intervention, InterventionKind
from quincunx_shared.manifest import Input, Manifest, Option, Output
from quincunx_shared.names import Address, PortKey, SegmentId
from quincunx_shared.payload import encode

#: One step of every shape that is drawn: up to three inputs, up to two outputs.
SHAPES: Mapping[str, Manifest] = {
    f"i{inputs}o{outputs}": Manifest(
        name=f"i{inputs}o{outputs}",
        version="1",
        inputs=tuple(Input(name=f"x{place}", type="any", required=False) for place in range(inputs)),
        outputs=tuple(Output(name=f"y{place}", type="any") for place in range(outputs)),
        options=(Option(name="gain", type="int", default=0),),
    )
    for inputs in range(4)
    for outputs in range(1, 3)
}
COLOURS = ("cpu", "gpu", "npu")
KINDS: tuple[InterventionKind, ...] = ("override", "offset", "scale", "mask", "custom")


@st.composite
def dags(draw: st.DrawFn, prefix: str = "n", most: int = 8) -> Graph:
    """A graph without cycles; edges lead from earlier to later nodes, which stand in a drawn order."""
    count = draw(st.integers(1, most))
    nodes: list[Node] = []
    edges: list[Edge] = []
    for number in range(count):
        manifest = SHAPES[draw(st.sampled_from(sorted(SHAPES)))]
        node = node_of(manifest, f"{prefix}{number}", options={"gain": draw(st.integers(0, 2))})
        outputs = [PortKey(one.id, port) for one in nodes for port in one.outputs]
        connected = [port for port in node.inputs if bool(outputs) and draw(st.booleans())]
        edges.extend(Edge(draw(st.sampled_from(outputs)), PortKey(node.id, port)) for port in connected)
        nodes.append(node)
    return Graph.of(draw(st.permutations(nodes)), draw(st.permutations(edges)))


@st.composite
def songs(draw: st.DrawFn) -> list[Segment]:
    """Some segments, and one that reads drawn outputs of them."""
    parts = [
        Segment(SegmentId(f"s{number}"), draw(dags(most=5)), colours=draw(colourings()))
        for number in range(draw(st.integers(1, 3)))
    ]
    outputs = [
        Address(one.id, PortKey(node.id, port))
        for one in parts
        for node in one.graph.nodes.values()
        for port in node.outputs
    ]
    read = draw(st.lists(st.sampled_from(outputs), min_size=1, max_size=3))
    last = Graph.of([node_of(SHAPES["i3o1"], "mix")])
    links = {PortKey("mix", f"x{place}"): (one,) for place, one in enumerate(read)}
    return [*parts, Segment(SegmentId("song"), last, links=links)]


def colourings() -> st.SearchStrategy[dict[str, str]]:
    """Explicit colours for some nodes."""
    return st.dictionaries(st.sampled_from([f"n{number}" for number in range(8)]), st.sampled_from(COLOURS), max_size=5)


def port_keys() -> st.SearchStrategy[PortKey]:
    """Ports of the nodes an edit may touch."""
    return st.builds(PortKey, st.sampled_from(["a", "b", "c"]), st.sampled_from(["x", "y"]))


def interventions() -> st.SearchStrategy[Intervention]:
    """Interventions, some on one edge only."""
    return st.builds(
        Intervention,
        target=port_keys(),
        kind=st.sampled_from(KINDS),
        operand=st.integers(0, 3).map(lambda value: encode(value).ref),
        operator=st.sampled_from(["p", "q"]),
        scope=st.none() | port_keys(),
    )


def operations(depth: int = 1) -> st.SearchStrategy[Operation]:
    """Edits over three nodes; batches hold edits."""
    nodes = st.builds(Node, st.sampled_from(["a", "b", "c"]), inputs=st.just(("x",)), outputs=st.just(("y",)))
    ends = st.permutations(["a", "b", "c"]).map(lambda names: Edge(PortKey(names[0], "y"), PortKey(names[1], "x")))
    values = st.integers(0, 3).map(encode)
    plain: st.SearchStrategy[Operation] = st.one_of(
        st.builds(AddNode, nodes),
        st.builds(RemoveNode, st.sampled_from(["a", "b", "c"])),
        st.builds(AddEdge, ends),
        st.builds(RemoveEdge, ends),
        st.builds(SetInput, port_keys(), values),
        st.builds(RemoveInput, port_keys()),
        st.builds(Intervene, interventions()),
        st.builds(RemoveInterventions, port_keys()),
    )
    if not depth:
        return plain
    return plain | st.builds(Batch, st.lists(operations(depth - 1), max_size=3).map(tuple))
