"""Walking and cutting parsed ONNX models. The package `onnx` is imported only where a model has to be rebuilt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any


def all_nodes(model: Any) -> Iterator[Any]:
    """Yield every node of a model: main graph, functions, and the bodies of branches and loops."""
    yield from nested(model.graph.node)
    for function in model.functions:
        yield from nested(function.node)


def all_tensors(model: Any) -> Iterator[Any]:
    """Yield every tensor stored in a model: weights and constants."""
    yield from model.graph.initializer
    for node in all_nodes(model):
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)
        for graph in _bodies(node):
            yield from graph.initializer


def nested(nodes: Iterable[Any]) -> Iterator[Any]:
    """Yield nodes and the nodes in their bodies."""
    for node in nodes:
        yield node
        for graph in _bodies(node):
            yield from nested(graph.node)


def shape_of(model: Any, name: str) -> bytes:
    """Return a model that computes nothing but the shape of one tensor of the main graph, as its output `shape`.

    ONNX Runtime always runs a whole graph, even when one early output is asked for. To learn the shape of a
    diffusion model's noise that way would cost as much as the diffusion.
    """
    from onnx import TensorProto, helper

    graph = model.graph
    kept = _nodes_towards(graph, name)
    used = {name, *(read for node in nested(kept) for read in node.input)}
    cut = helper.make_graph(
        [*kept, helper.make_node("Shape", [name], ["shape"])],
        "shape",
        [value for value in graph.input if value.name in used],
        [helper.make_tensor_value_info("shape", TensorProto.INT64, None)],
        initializer=[tensor for tensor in graph.initializer if tensor.name in used],
    )
    rebuilt = helper.make_model(
        cut, opset_imports=model.opset_import, functions=model.functions, ir_version=model.ir_version
    )
    return bytes(rebuilt.SerializeToString())


def _nodes_towards(graph: Any, name: str) -> list[Any]:
    """Return the nodes on whose results a tensor depends, in the order of the graph."""
    maker = {output: place for place, node in enumerate(graph.node) for output in node.output if output}
    kept: set[int] = set()
    wanted = [name]
    while wanted:
        place = maker.get(wanted.pop())
        if place is not None and place not in kept:
            kept.add(place)
            # Bodies read tensors around them without saying so on the node itself.
            wanted.extend(read for node in nested([graph.node[place]]) for read in node.input)
    return [graph.node[place] for place in sorted(kept)]


def _bodies(node: Any) -> Iterator[Any]:
    for attribute in node.attribute:
        yield from (attribute.g, *attribute.graphs)
