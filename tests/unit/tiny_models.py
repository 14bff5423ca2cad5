"""ONNX models of a few nodes, written in memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from onnx import GraphProto, NodeProto, TensorProto, ValueInfoProto
from onnx.helper import make_graph, make_model, make_node, make_opsetid, make_tensor, make_tensor_value_info

from quincunx_shared.canonical import digest_of_bytes
from quincunx_shared.names import Digest

FLOAT, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL


def value(name: str, element: int, *shape: str | int) -> ValueInfoProto:
    """An input or output; names stand for symbolic dimensions."""
    return make_tensor_value_info(name, element, list(shape))


def built(
    nodes: Sequence[NodeProto],
    inputs: Sequence[ValueInfoProto],
    outputs: Sequence[ValueInfoProto],
    constants: Sequence[TensorProto] = (),
    *domains: str,
) -> bytes:
    """A model's bytes."""
    graph = make_graph(list(nodes), "tiny", list(inputs), list(outputs), initializer=list(constants))
    opsets = [make_opsetid("", 17), *(make_opsetid(domain, 1) for domain in domains)]
    content: bytes = make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()
    return content


def kept(folder: Path, content: bytes, name: str = "model.onnx") -> tuple[Path, Digest]:
    """Write a model and return where it lies and its digest."""
    path = folder / name
    path.write_bytes(content)
    return path, digest_of_bytes(content)


_MEL_AND_F0 = (value("mel", FLOAT, 1, "T", "bins"), value("f0", FLOAT, 1, "T"))


def doubling() -> bytes:
    """y = x + x"""
    return built([make_node("Add", ["x", "x"], ["y"])], [value("x", FLOAT, "n")], [value("y", FLOAT, "n")])


def adding_noise() -> bytes:
    """y = x + normal noise, and even noise between 2 and 3 of a fixed shape beside it."""
    nodes = [
        make_node("RandomNormalLike", ["x"], ["hiss"], mean=1.0, scale=0.5, dtype=FLOAT),
        make_node("RandomUniform", [], ["start"], shape=[1, 9], low=2.0, high=3.0),
        make_node("Add", ["x", "hiss"], ["y"]),
        make_node("Identity", ["start"], ["z"]),
    ]
    return built(nodes, [value("x", FLOAT, 1, "n")], [value("y", FLOAT, 1, "n"), value("z", FLOAT, 1, 9)])


def noise_on_noise() -> bytes:
    """Two noises; the second has the shape of a tensor made from the first."""
    nodes = [
        make_node("RandomUniformLike", ["x"], ["first"]),
        make_node("Concat", ["first", "x"], ["both"], axis=1),
        make_node("RandomNormalLike", ["both"], ["second"]),
        make_node("Add", ["both", "second"], ["y"]),
    ]
    return built(nodes, [value("x", FLOAT, 1, "n")], [value("y", FLOAT, 1, "m")])


def noise_behind_a_branch() -> bytes:
    """y = noise of the shape of a branch's result; the branch reads x, doubled in length, from around it."""
    long = make_graph([make_node("Identity", ["twice"], ["a"])], "t", [], [_any("a")])
    short = make_graph([make_node("Identity", ["x"], ["b"])], "e", [], [_any("b")])
    nodes = [
        make_node("Concat", ["x", "x"], ["twice"], axis=1),
        _if("long", "like", long, short),
        make_node("RandomNormalLike", ["like"], ["noise"]),
        make_node("Identity", ["noise"], ["y"]),
    ]
    return built(nodes, [value("x", FLOAT, 1, "n"), value("long", BOOL)], [value("y", FLOAT, 1, "m")])


def chance_in_a_branch() -> bytes:
    """y = noise where speedup is 1, else x: the shape of an old diffusion model."""
    drawn = make_graph([make_node("RandomNormalLike", ["mel"], ["a"], name="p_sample")], "t", [], [_any("a")])
    plain = make_graph([make_node("Identity", ["mel"], ["b"])], "e", [], [_any("b")])
    nodes = [
        make_node("Unsqueeze", ["f0", "last"], ["mel"]),
        make_node("Equal", ["speedup", "one"], ["each"]),
        _if("each", "y", drawn, plain),
    ]
    inputs = [
        value("tokens", INT64, 1, "P"),
        value("durations", INT64, 1, "P"),
        value("f0", FLOAT, 1, "T"),
        value("speedup", INT64),
    ]
    constants = [make_tensor("one", INT64, [], [1]), make_tensor("last", INT64, [1], [2])]
    return built(nodes, inputs, [value("y", FLOAT, 1, "T", 1)], constants)


def foreign() -> bytes:
    """A model that wants an operator nobody has."""
    node = make_node("Sing", ["x"], ["y"], domain="studio.secret")
    return built([node], [value("x", FLOAT, 1)], [value("y", FLOAT, 1)], (), "studio.secret")


def with_outside_weights(location: str) -> bytes:
    """y = x + w, and w lies in another file."""
    weights = TensorProto(name="w", data_type=FLOAT, dims=[2], data_location=TensorProto.EXTERNAL)
    entry = weights.external_data.add()
    entry.key, entry.value = "location", location
    return built([make_node("Add", ["x", "w"], ["y"])], [value("x", FLOAT, 2)], [value("y", FLOAT, 2)], [weights])


def acoustic(*extra: ValueInfoProto, frames: Sequence[str] = ("f0",)) -> bytes:
    """mel[:, :, k] = the k-th of the per-frame inputs named in `frames`; all other inputs are read and dropped.

    Inputs are tokens, durations, `frames` and `extra`.
    """
    nodes = [make_node("Unsqueeze", [name, "last"], [f"{name}_column"]) for name in frames]
    nodes.append(make_node("Concat", [f"{name}_column" for name in frames], ["mel"], axis=2))
    inputs = [value("tokens", INT64, 1, "P"), value("durations", INT64, 1, "P")]
    inputs += [value(name, FLOAT, 1, "T") for name in frames]
    constants = [make_tensor("last", INT64, [1], [2])]
    return built(nodes, [*inputs, *extra], [value("mel", FLOAT, 1, "T", len(frames))], constants)


def reading_tokens() -> bytes:
    """The first rows of the mel are token, language and duration of each phoneme; the rest is zero."""
    nodes = [
        make_node("Concat", ["tokens", "languages", "durations"], ["rows"], axis=0),
        make_node("Transpose", ["rows"], ["columns"], perm=[1, 0]),
        make_node("Cast", ["columns"], ["floats"], to=FLOAT),
        make_node("Unsqueeze", ["floats", "first"], ["batch"]),
        make_node("Shape", ["f0"], ["T"], start=1),
        make_node("Shape", ["tokens"], ["P"], start=1),
        make_node("Sub", ["T", "P"], ["rest"]),
        make_node("Concat", ["before", "rest", "first"], ["pads"], axis=0),
        make_node("Pad", ["batch", "pads"], ["mel"]),
    ]
    inputs = [value(name, INT64, 1, "P") for name in ("tokens", "languages", "durations")]
    constants = [make_tensor("first", INT64, [1], [0]), make_tensor("before", INT64, [4], [0, 0, 0, 0])]
    return built(nodes, [*inputs, value("f0", FLOAT, 1, "T")], [value("mel", FLOAT, 1, "T", 3)], constants)


def telling(*scalars: ValueInfoProto) -> bytes:
    """Every row of the mel holds the values of the scalar inputs."""
    nodes = []
    for scalar in scalars:
        nodes.append(make_node("Cast", [scalar.name], [f"{scalar.name}_float"], to=FLOAT))
        nodes.append(make_node("Reshape", [f"{scalar.name}_float", "one"], [f"{scalar.name}_row"]))
    nodes += [
        make_node("Concat", [f"{scalar.name}_row" for scalar in scalars], ["row"], axis=0),
        make_node("Shape", ["f0"], ["T"], start=1),
        make_node("Concat", ["one", "T", "one"], ["size"], axis=0),
        make_node("Expand", ["row", "size"], ["mel"]),
    ]
    return built(
        nodes,
        [value("f0", FLOAT, 1, "T"), *scalars],
        [value("mel", FLOAT, 1, "T", len(scalars))],
        [make_tensor("one", INT64, [1], [1])],
    )


def speaking(hidden: int) -> bytes:
    """The mel is the speaker's embedding."""
    inputs = [value("f0", FLOAT, 1, "T"), value("spk_embed", FLOAT, 1, "T", hidden)]
    return built([make_node("Identity", ["spk_embed"], ["mel"])], inputs, [value("mel", FLOAT, 1, "T", hidden)])


def hissing() -> bytes:
    """The mel is noise of the shape that a diffusion model makes: from a constant, as long as f0."""
    nodes = [
        make_node("Shape", ["f0"], ["T"], start=1),
        make_node("Concat", ["one", "T", "bins"], ["size"], axis=0),
        make_node("ConstantOfShape", ["size"], ["like"]),
        make_node("RandomNormalLike", ["like"], ["noise"], dtype=FLOAT),
        make_node("Identity", ["noise"], ["mel"]),
    ]
    constants = [make_tensor("one", INT64, [1], [1]), make_tensor("bins", INT64, [1], [4])]
    return built(nodes, [value("f0", FLOAT, 1, "T")], [value("mel", FLOAT, 1, "T", 4)], constants)


def vocoder(hop_size: int = 4) -> bytes:
    """Every sample of a frame is the mean of its mel plus f0."""
    nodes = [
        make_node("ReduceMean", ["mel"], ["level"], axes=[2], keepdims=1),
        make_node("Unsqueeze", ["f0", "last"], ["pitch"]),
        make_node("Add", ["level", "pitch"], ["frame"]),
        make_node("Expand", ["frame", "hop"], ["samples"]),
        make_node("Reshape", ["samples", "flat"], ["waveform"]),
    ]
    constants = [
        make_tensor("last", INT64, [1], [2]),
        make_tensor("hop", INT64, [3], [1, 1, hop_size]),
        make_tensor("flat", INT64, [2], [1, -1]),
    ]
    inputs = [value("mel", FLOAT, 1, "T", "bins"), value("f0", FLOAT, 1, "T")]
    return built(nodes, inputs, [value("waveform", FLOAT, 1, "S")], constants)


def endless_vocoder() -> bytes:
    """A vocoder with a loop that never ends."""
    body = make_graph(
        [make_node("Identity", ["on"], ["still_on"]), make_node("Sqrt", ["a"], ["b"])],
        "body",
        [value("turn", INT64), value("on", BOOL), _any("a")],
        [value("still_on", BOOL), _any("b")],
    )
    node = make_node("Loop", ["", "true", "f0"], ["waveform"], body=body)
    return built([node], _MEL_AND_F0, [value("waveform", FLOAT, 1, "S")], [make_tensor("true", BOOL, [], [True])])


def vast_vocoder(*shape: int) -> bytes:
    """A vocoder of some hundred bytes that makes a tensor of this shape on its way."""
    nodes = [
        make_node("ConstantOfShape", ["shape"], ["vast"]),
        make_node("ReduceMax", ["vast"], ["zero"], keepdims=0),
        make_node("Add", ["f0", "zero"], ["waveform"]),
    ]
    constants = [make_tensor("shape", INT64, [len(shape)], list(shape))]
    return built(nodes, _MEL_AND_F0, [value("waveform", FLOAT, 1, "S")], constants)


def vast_noise(*shape: int) -> bytes:
    """The same with noise, which is drawn outside the runtime."""
    nodes = [
        make_node("RandomNormal", [], ["vast"], shape=list(shape)),
        make_node("ReduceMax", ["vast"], ["most"], keepdims=0),
        make_node("Add", ["f0", "most"], ["waveform"]),
    ]
    return built(nodes, _MEL_AND_F0, [value("waveform", FLOAT, 1, "S")])


def numberless_vocoder(hop_size: int = 512) -> bytes:
    """A vocoder whose sound is 0/0."""
    nodes = [
        make_node("Sub", ["f0", "f0"], ["zero"]),
        make_node("Div", ["zero", "zero"], ["nothing"]),
        make_node("Unsqueeze", ["nothing", "last"], ["frame"]),
        make_node("Expand", ["frame", "hop"], ["samples"]),
        make_node("Reshape", ["samples", "flat"], ["waveform"]),
    ]
    constants = [
        make_tensor("last", INT64, [1], [2]),
        make_tensor("hop", INT64, [3], [1, 1, hop_size]),
        make_tensor("flat", INT64, [2], [1, -1]),
    ]
    return built(nodes, _MEL_AND_F0, [value("waveform", FLOAT, 1, "S")], constants)


def short_vocoder() -> bytes:
    """A vocoder that promises samples and returns frames."""
    return built([make_node("Identity", ["f0"], ["waveform"])], _MEL_AND_F0, [value("waveform", FLOAT, 1, "S")])


def _any(name: str) -> ValueInfoProto:
    return make_tensor_value_info(name, FLOAT, None)


def _if(condition: str, output: str, then: GraphProto, otherwise: GraphProto) -> Any:
    return make_node("If", [condition], [output], then_branch=then, else_branch=otherwise)
