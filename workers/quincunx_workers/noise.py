"""Chance inside a model, turned into inputs that a seed fills.

An ONNX `RandomNormalLike` without a seed draws from a generator that belongs to the loaded session, so its result
depends on how often the session ran before. Here every random node of the main graph becomes an input of the same
name. Its noise is a pure function of (seed, name, shape), the same on every machine and in every process.

Where the shape is that of another tensor (`…Like`), the nodes that lead to that tensor are cut out as a small model
of its shape, which runs before the noise is fed. Random nodes in branches, loops and functions stay: they are only
named, and steps see to it that they do not run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from quincunx_workers.onnx_graph import all_nodes, shape_of

#: Every operator of ONNX that draws. A model whose bytes name none of them need not be parsed.
MARKS = (b"Random", b"Bernoulli", b"Multinomial")

#: Operators that can become inputs: name → what they draw.
LAWS: dict[str, Literal["normal", "uniform"]] = {
    "RandomNormal": "normal",
    "RandomNormalLike": "normal",
    "RandomUniform": "uniform",
    "RandomUniformLike": "uniform",
}


@dataclass(frozen=True, slots=True)
class Noise:
    """One random node that became the input `name`.

    `scale` and `offset` turn the standard law (mean 0 and deviation 1; or even between 0 and 1) into the node's.
    The shape is `shape`, or what running `shape_model` on the inputs and the earlier noises returns.
    """

    name: str
    law: Literal["normal", "uniform"]
    dtype: str
    offset: float
    scale: float
    shape: tuple[int, ...] | None = None
    shape_model: bytes = field(default=b"", repr=False)

    def draw(self, shape: Sequence[int], seed: int) -> npt.NDArray[Any]:
        """Return the noise for a seed."""
        standard = _standard_normal if self.law == "normal" else _standard_uniform
        count = int(np.prod(shape, dtype=np.int64))
        drawn = standard(_generator(seed, self.name), count) * self.scale + self.offset
        return drawn.reshape(tuple(shape)).astype(self.dtype)


@dataclass(frozen=True, slots=True)
class Seedable:
    """A model's bytes after the change, the noises it wants now, and the random nodes no seed reaches."""

    content: bytes
    noises: tuple[Noise, ...] = ()
    unseeded: tuple[str, ...] = ()


def make_seedable(content: bytes) -> Seedable:
    """Return the model with the random nodes of its main graph turned into inputs."""
    if not any(mark in content for mark in MARKS):
        return Seedable(content)
    # Parsing costs time and a package that models without chance, such as the demo voice, do not need.
    import onnx

    model = onnx.load_from_string(content)
    # One by one, in order: the shape of a later noise may depend on an earlier one, which is an input by then.
    drawing = [node for node in model.graph.node if node.op_type in LAWS and not node.domain]
    noises = tuple(_made_input(model, node) for node in drawing)
    unseeded = tuple(node.name or node.op_type for node in all_nodes(model) if _draws(node))
    return Seedable(model.SerializeToString() if noises else content, noises, unseeded)


def _made_input(model: Any, node: Any) -> Noise:
    """Let the value that a node drew come from outside."""
    from onnx import helper

    graph = model.graph
    noise = _noise(model, node)
    element = helper.np_dtype_to_tensor_dtype(np.dtype(noise.dtype))
    graph.node.remove(node)
    graph.input.append(helper.make_tensor_value_info(noise.name, element, noise.shape))
    return noise


def _noise(model: Any, node: Any) -> Noise:
    from onnx import TensorProto, helper

    given = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    law = LAWS[node.op_type]
    low, high = given.get("low", 0.0), given.get("high", 1.0)
    offset, scale = (given.get("mean", 0.0), given.get("scale", 1.0)) if law == "normal" else (low, high - low)
    element = given.get("dtype") or (_element_type(model.graph, node.input[0]) if node.input else TensorProto.FLOAT)
    return Noise(
        name=node.output[0],
        law=law,
        dtype=helper.tensor_dtype_to_np_dtype(element).name,
        offset=offset,
        scale=scale,
        shape=tuple(given["shape"]) if "shape" in given else None,
        shape_model=shape_of(model, node.input[0]) if node.input else b"",
    )


def _element_type(graph: Any, name: str) -> int:
    """Return the type of a tensor where the file tells it; exporters write float32 where they say nothing."""
    import onnx

    for value in (*graph.input, *graph.value_info, *graph.output):
        if value.name == name:
            return int(value.type.tensor_type.elem_type)
    for tensor in graph.initializer:
        if tensor.name == name:
            return int(tensor.data_type)
    return int(onnx.TensorProto.FLOAT)


def _draws(node: Any) -> bool:
    return any(node.op_type.startswith(mark.decode()) for mark in MARKS)


def _generator(seed: int, name: str) -> np.random.Philox:
    """Return a generator of raw bits, whose stream NumPy keeps for ever, unlike those of its distributions."""
    key = hashlib.sha256(f"quincunx noise\n{seed}\n{name}".encode()).digest()
    return np.random.Philox(key=int.from_bytes(key[:16], "little"))


def _standard_uniform(generator: np.random.Philox, count: int) -> npt.NDArray[np.float64]:
    """Return even numbers in [0, 1) of 53 bits."""
    return np.asarray((generator.random_raw(count) >> np.uint64(11)) * 2.0**-53)


def _standard_normal(generator: np.random.Philox, count: int) -> npt.NDArray[np.float64]:
    """Return normal numbers by Box and Muller's transform."""
    even = _standard_uniform(generator, 2 * (-(-count // 2))).reshape(2, -1)
    radius = np.sqrt(-2.0 * np.log1p(-even[0]))
    angle = 2 * np.pi * even[1]
    return np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])[:count]
