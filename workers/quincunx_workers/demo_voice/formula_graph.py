"""Formulas as ONNX graphs: tensors with arithmetic operators, over ``onnx.helper``.

A ``Tensor`` is a name in a graph under construction; every operator adds one node and yields the next tensor.
Numbers and arrays met on the way become initialisers of the tensor's own element type, each stored once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import ArrayLike, NDArray
from onnx import helper, numpy_helper

Shape = tuple[int | str, ...]

FLOAT: Final = np.dtype(np.float32)
DOUBLE: Final = np.dtype(np.float64)
INT: Final = np.dtype(np.int64)
BOOL: Final = np.dtype(np.bool_)

#: Opset 17 and IR 8 are read by every ONNX Runtime since 1.12, OpenUtau's among them.
OPSET = 17
IR_VERSION = 8


#: A slice that ends here ends with its axis.
END: Final = 2**31 - 1


@dataclass
class Graph:
    """A graph under construction; names are given in the order of the formulas, so that builds repeat."""

    name: str
    _nodes: list[onnx.NodeProto] = field(default_factory=list)
    _inputs: list[onnx.ValueInfoProto] = field(default_factory=list)
    _outputs: list[onnx.ValueInfoProto] = field(default_factory=list)
    _initializers: list[onnx.TensorProto] = field(default_factory=list)
    _constant_names: dict[tuple[str, Shape, bytes], str] = field(default_factory=dict)

    def input(self, name: str, dtype: np.dtype[Any], shape: Shape) -> Tensor:
        """Declare an input; words in the shape are axes whose length the caller chooses."""
        self._inputs.append(helper.make_tensor_value_info(name, _element_type(dtype), shape))
        return Tensor(self, name, dtype)

    def optional_input(self, name: str, default: NDArray[Any]) -> Tensor:
        """Declare an input with a default: an initialiser that a caller may override."""
        self._initializers.append(numpy_helper.from_array(default, name))
        return self.input(name, default.dtype, default.shape)

    def output(self, name: str, tensor: Tensor, shape: Shape) -> None:
        """Publish a tensor under the name that callers ask for."""
        self._nodes.append(helper.make_node("Identity", [tensor.name], [name], name=f"publish_{name}"))
        self._outputs.append(helper.make_tensor_value_info(name, _element_type(tensor.dtype), shape))

    def constant(self, values: ArrayLike, dtype: np.dtype[Any]) -> Tensor:
        """An initialiser that holds ``values``; equal constants share one."""
        array = np.ascontiguousarray(np.asarray(values, dtype=dtype)).reshape(np.shape(values))
        key = (dtype.str, array.shape, array.tobytes())
        if key not in self._constant_names:
            name = f"constant_{len(self._constant_names)}"
            self._constant_names[key] = name
            self._initializers.append(numpy_helper.from_array(array, name))
        return Tensor(self, self._constant_names[key], dtype)

    def op(
        self,
        op_type: str,
        *inputs: Tensor,
        dtype: np.dtype[Any] | None = None,
        attributes: Mapping[str, Any] | None = None,
    ) -> Tensor:
        """Add one node; its result has the element type of the first input unless ``dtype`` says otherwise."""
        name = f"{op_type.lower()}_{len(self._nodes)}"
        names = [tensor.name for tensor in inputs]
        self._nodes.append(helper.make_node(op_type, names, [name], name=name, **dict(attributes or {})))
        return Tensor(self, name, dtype or inputs[0].dtype)

    def model(self, doc: str, promises: Mapping[str, str] | None = None) -> onnx.ModelProto:
        """The finished graph, checked against the ONNX specification; ``promises`` become its metadata."""
        body = helper.make_graph(
            self._nodes, self.name, self._inputs, self._outputs, self._initializers, doc_string=doc
        )
        model = helper.make_model(
            body,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="quincunx_workers.demo_voice",
        )
        helper.set_model_props(model, dict(promises or {}))
        onnx.checker.check_model(model, full_check=True)
        return model


@dataclass(frozen=True, eq=False)
class Tensor:
    """A named tensor of a graph; operators broadcast as numpy's do."""

    graph: Graph
    name: str
    dtype: np.dtype[Any]

    def __add__(self, other: Operand) -> Tensor:
        return self._with("Add", other)

    def __radd__(self, other: Operand) -> Tensor:
        return self._with("Add", other)

    def __sub__(self, other: Operand) -> Tensor:
        return self._with("Sub", other)

    def __rsub__(self, other: Operand) -> Tensor:
        return self.like(other)._with("Sub", self)

    def __mul__(self, other: Operand) -> Tensor:
        return self._with("Mul", other)

    def __rmul__(self, other: Operand) -> Tensor:
        return self._with("Mul", other)

    def __truediv__(self, other: Operand) -> Tensor:
        return self._with("Div", other)

    def __rtruediv__(self, other: Operand) -> Tensor:
        return self.like(other)._with("Div", self)

    def __mod__(self, other: Operand) -> Tensor:
        return self._with("Mod", other)

    def __matmul__(self, other: Operand) -> Tensor:
        return self._with("MatMul", other)

    def __neg__(self) -> Tensor:
        return self.graph.op("Neg", self)

    def __ge__(self, other: Tensor | float) -> Tensor:
        return self._with("GreaterOrEqual", other, BOOL)

    def __gt__(self, other: Tensor | float) -> Tensor:
        return self._with("Greater", other, BOOL)

    def __le__(self, other: Tensor | float) -> Tensor:
        return self._with("LessOrEqual", other, BOOL)

    def __lt__(self, other: Tensor | float) -> Tensor:
        return self._with("Less", other, BOOL)

    def __and__(self, other: Tensor) -> Tensor:
        return self.graph.op("And", self, other)

    def at_least(self, bound: Operand) -> Tensor:
        return self._with("Max", bound)

    def at_most(self, bound: Operand) -> Tensor:
        return self._with("Min", bound)

    def exp(self) -> Tensor:
        return self.graph.op("Exp", self)

    def log(self) -> Tensor:
        return self.graph.op("Log", self)

    def sqrt(self) -> Tensor:
        return self.graph.op("Sqrt", self)

    def sin(self) -> Tensor:
        return self.graph.op("Sin", self)

    def cos(self) -> Tensor:
        return self.graph.op("Cos", self)

    def floor(self) -> Tensor:
        return self.graph.op("Floor", self)

    def relu(self) -> Tensor:
        return self.graph.op("Relu", self)

    def sigmoid(self) -> Tensor:
        return self.graph.op("Sigmoid", self)

    def cast(self, dtype: np.dtype[Any]) -> Tensor:
        if dtype == self.dtype:
            return self
        return self.graph.op("Cast", self, dtype=dtype, attributes={"to": _element_type(dtype)})

    def where(self, then: Tensor, otherwise: Operand) -> Tensor:
        """``then`` where this condition holds, else ``otherwise``."""
        return self.graph.op("Where", self, then, then.like(otherwise), dtype=then.dtype)

    def axis_length(self, axis: int) -> Tensor:
        """Length of one axis; int64, no axes."""
        shape = self.graph.op("Shape", self, dtype=INT)
        return self.graph.op("Gather", shape, self.graph.constant(axis, INT))

    def with_axis(self, axis: int) -> Tensor:
        return self.graph.op("Unsqueeze", self, self.graph.constant([axis], INT))

    def without_axis(self, axis: int) -> Tensor:
        return self.graph.op("Squeeze", self, self.graph.constant([axis], INT))

    def transposed(self, *axes: int) -> Tensor:
        return self.graph.op("Transpose", self, attributes={"perm": list(axes)})

    def reshaped(self, *shape: int) -> Tensor:
        """Zero keeps the length of that axis, -1 takes what is left."""
        return self.graph.op("Reshape", self, self.graph.constant(shape, INT))

    def summed(self, axis: int) -> Tensor:
        """Sum over one axis, which stays with length one."""
        return self.graph.op("ReduceSum", self, self.graph.constant([axis], INT), attributes={"keepdims": 1})

    def highest(self, axis: int) -> Tensor:
        """Maximum over one axis, which stays with length one."""
        return self.graph.op("ReduceMax", self, attributes={"axes": [axis], "keepdims": 1})

    def part(self, axis: int, start: int, end: int | Tensor, step: int = 1) -> Tensor:
        """The stretch [start, end) of one axis; with a step of -1 read backwards, ``end`` left out again."""
        constant = self.graph.constant
        stop = end.with_axis(0) if isinstance(end, Tensor) else constant([end], INT)
        return self.graph.op("Slice", self, constant([start], INT), stop, constant([axis], INT), constant([step], INT))

    def padded(self, before: Sequence[int], after: Sequence[int], mode: str = "constant") -> Tensor:
        """More elements at the ends of each axis: zeros, or with mode ``edge`` the outermost ones again."""
        widths = self.graph.constant([*before, *after], INT)
        return self.graph.op("Pad", self, widths, attributes={"mode": mode})

    def like(self, other: Operand) -> Tensor:
        """``other`` as a tensor: numbers and arrays become constants of this tensor's element type."""
        return other if isinstance(other, Tensor) else self.graph.constant(other, self.dtype)

    def _with(self, op_type: str, other: Operand, dtype: np.dtype[Any] | None = None) -> Tensor:
        return self.graph.op(op_type, self, self.like(other), dtype=dtype)


Operand = Tensor | float | NDArray[Any]


def count(graph: Graph, length: Tensor) -> Tensor:
    """0, 1, 2 … up to ``length``; int64."""
    return graph.op("Range", graph.constant(0, INT), length, graph.constant(1, INT))


def joined(tensors: Sequence[Tensor], axis: int) -> Tensor:
    """The tensors end to end along one axis."""
    return tensors[0].graph.op("Concat", *tensors, attributes={"axis": axis})


def _element_type(dtype: np.dtype[Any]) -> int:
    return int(helper.np_dtype_to_tensor_dtype(dtype))
