"""How the vectors of the core are read: README.md tells the same in words, for other languages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quincunx_orchestrator.core import operations
from quincunx_orchestrator.core.graph import Bypass, Edge, Graph, Nested, Node
from quincunx_orchestrator.core.segment import Segment
from quincunx_shared.intervention import Intervention, Operator
from quincunx_shared.manifest import Manifest
from quincunx_shared.names import Address, Digest, PortKey, SegmentId
from quincunx_shared.payload import Encoded, Payload, encode

#: The custom operators that vectors may name.
OPERATORS: Mapping[str, Operator] = {
    "larger": Operator(lambda inner, own: np.maximum(inner, own)),
    "instead": Operator(lambda _, own: own, short_circuits=True),
}


def load(part: str) -> Any:
    """Return the content of a vector file."""
    return json.loads(Path(__file__).with_name(f"{part}.json").read_text(encoding="utf-8"))


def named(vectors: Any, kind: str) -> list[Any]:
    """Return the vectors of one kind as test parameters, named by what they say."""
    return [pytest.param(vector, id=vector["says"]) for vector in vectors[kind]]


def port(text: str) -> PortKey:
    """`node.port`; node ids may contain dots and slashes, port names may not."""
    node, _, name = text.rpartition(".")
    return PortKey(node, name)


def ports(texts: list[str]) -> tuple[PortKey, ...]:
    return tuple(map(port, texts))


def address(text: str) -> Address:
    """`segment/node.port`; the node may be nested (`segment/outer/inner.port`)."""
    segment, _, key = text.partition("/")
    return Address(SegmentId(segment), port(key))


def edge(text: str) -> Edge:
    """`node.output -> node.input`."""
    source, _, target = text.partition(" -> ")
    return Edge(port(source), port(target))


def payload(told: Any) -> Payload:
    """A JSON value; `{"array": […], "dtype": …}` and `{"bytes": hex}` are arrays and bytes."""
    if isinstance(told, dict) and "array" in told:
        return np.array(told["array"], dtype=told.get("dtype", "float32"))
    if isinstance(told, dict) and told.keys() == {"bytes"}:
        return bytes.fromhex(told["bytes"])
    if isinstance(told, dict) and told.keys() == {"text", "times"}:
        return told["text"] * told["times"]
    return told


def encoded(told: Any) -> Encoded:
    return encode(payload(told))


def manifest(name: str, told: Any) -> Manifest:
    """A manifest in the form it is exported; a port may be given as `name` or `name:type`."""
    inputs = [_port_of_manifest(one, {"required": False}) for one in told.get("inputs", [])]
    outputs = [_port_of_manifest(one, {}) for one in told.get("outputs", [])]
    whole = {"name": name, "version": "1", **told, "inputs": inputs, "outputs": outputs}
    return Manifest.model_validate_json(json.dumps(whole))


def plain_manifest(told: Any) -> Any:
    """A declared step without what it does when it runs."""
    return {name: one for name, one in told.items() if name not in ("returns", "raises", "reports")}


def returned(told: Any) -> Any:
    """What a step returns: a list and an object are taken as they are, with payloads in them."""
    if isinstance(told, list):
        return [payload(one) for one in told]
    if isinstance(told, dict) and payload(told) is told:
        return {name: payload(one) for name, one in told.items()}
    return payload(told)


def manifests(told: Any, *graphs: Graph) -> dict[str, Manifest]:
    """The declared steps, and one step for each node that names none: it has the node's own ports."""
    found = {name: manifest(name, one) for name, one in told.items()}
    for graph in graphs:
        found.update(_own_steps(graph))
    return found


def graph(told: Any, steps: Any = None) -> Graph:
    nodes = [node(one, steps or {}) for one in told["nodes"]]
    return Graph.of(nodes, [edge(one) for one in told.get("edges", [])])


def node(told: Any, steps: Any = None) -> Node:
    """A node; ports that it does not name are those of its step."""
    name = told.get("step", "")
    declared = manifest(name, plain_manifest((steps or {})[name])) if name in (steps or {}) else None
    inputs = tuple(one.name for one in declared.inputs) if declared else ()
    outputs = tuple(one.name for one in declared.outputs) if declared else ()
    multi = [one.name for one in declared.inputs if one.multi] if declared else []
    nested = told.get("nested")
    return Node(
        id=told["id"],
        step=told.get("step", "" if nested else f"step of {told['id']}"),
        inputs=tuple(told.get("inputs", inputs)),
        outputs=tuple(told.get("outputs", outputs)),
        options=told.get("options", {}),
        presets={name: payload(value) for name, value in told.get("presets", {}).items()},
        multi=frozenset(told.get("multi", multi)),
        order={name: ports(keys) for name, keys in told.get("order", {}).items()},
        bypass=_bypass(told.get("bypass")),
        nested=_nested(nested, steps) if nested else None,
        extra=told.get("extra", {}),
    )


def segment(told: Any, steps: Any = None) -> Segment:
    whole = Segment(
        id=SegmentId(told.get("id", "s")),
        graph=graph(told["graph"], steps),
        inputs={port(key): encoded(value) for key, value in told.get("inputs", {}).items()},
        links={port(key): tuple(map(address, one)) for key, one in told.get("links", {}).items()},
        colours=told.get("colours", {}),
        merge_groups={name: tuple(one) for name, one in told.get("merge_groups", {}).items()},
        pinned=frozenset(ports(told.get("pinned", []))),
    )
    return edited(whole, told.get("edits", []), steps)


def edited(whole: Segment, edits: Any, steps: Any = None) -> Segment:
    """The segment after edits; `undo` and `redo` are edits too."""
    for one in edits:
        if one["op"] == "undo":
            whole = whole.undone()
        elif one["op"] == "redo":
            whole = whole.redone()
        else:
            whole = whole.with_operation(operation(one, steps))
    return whole


def operation(told: Any, steps: Any = None) -> operations.Operation:
    """An edit: `op` names it."""
    match told["op"]:
        case "batch":
            return operations.Batch(tuple(operation(one, steps) for one in told["operations"]))
        case "add_node":
            return operations.AddNode(node(told["node"], steps))
        case "update_node":
            return operations.UpdateNode(node(told["node"], steps))
        case "remove_node":
            return operations.RemoveNode(told["id"])
        case "add_edge":
            return operations.AddEdge(edge(told["edge"]))
        case "remove_edge":
            return operations.RemoveEdge(edge(told["edge"]))
        case "set_input":
            return operations.SetInput(port(told["port"]), encoded(told["value"]))
        case "remove_input":
            return operations.RemoveInput(port(told["port"]))
        case "remove_interventions":
            return operations.RemoveInterventions(port(told["port"]))
        case _:
            payloads = tuple(encoded(told[name]) for name in ("value", "user") if name in told)
            return operations.Intervene(intervention(told), payloads)


def intervention(told: Any) -> Intervention:
    """An intervention: `op` is its kind, `value` its operand; `mask` blends `user` in."""
    return Intervention(
        target=port(told["port"]),
        kind=told["op"],
        operand=encoded(told["value"]).ref,
        user=encoded(told["user"]).ref if "user" in told else None,
        operator=told.get("operator", ""),
        scope=port(told["scope"]) if "scope" in told else None,
        drawn_on=Digest(told["drawn_on"]) if "drawn_on" in told else None,
    )


def _port_of_manifest(told: Any, defaults: Mapping[str, Any]) -> Any:
    if isinstance(told, str):
        name, _, kind = told.partition(":")
        return {"name": name, "type": kind or "any", **defaults}
    return {"type": "any", **told}


def _own_steps(graph: Graph) -> dict[str, Manifest]:
    found: dict[str, Manifest] = {}
    for one in graph.nodes.values():
        if one.nested is not None:
            found.update(_own_steps(one.nested.graph))
        elif one.step == f"step of {one.id}":
            inputs = [{"name": name, "required": False, "multi": name in one.multi} for name in one.inputs]
            found[one.step] = manifest(one.step, {"inputs": inputs, "outputs": list(one.outputs)})
    return found


def _bypass(told: Any) -> Bypass | None:
    if told is None:
        return None
    defaults = {name: payload(value) for name, value in told.get("defaults", {}).items()}
    return Bypass(told.get("mute", False), told.get("pass_through", {}), defaults)


def _nested(told: Any, steps: Any) -> Nested:
    input_map = {name: port(key) for name, key in told.get("input_map", {}).items()}
    output_map = {port(key): name for key, name in told.get("output_map", {}).items()}
    return Nested(graph(told["graph"], steps), input_map, output_map)
