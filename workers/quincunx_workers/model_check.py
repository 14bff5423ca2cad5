"""What a model file must not contain."""

from __future__ import annotations

from quincunx_shared.errors import BadVoicebank
from quincunx_workers.onnx_graph import all_nodes, all_tensors

#: Domains of operators that ONNX Runtime brings along.
DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft"})

#: The word under which a tensor names its file, with the tag and length that stand before it in the format.
EXTERNAL_MARK = b"\x0a\x08location"


def refuse_outside_weights(content: bytes, *, where: str) -> None:
    """Refuse a model whose weights lie in other files.

    Such a file's digest says nothing about its weights, so results would be recalled for weights that are gone; and
    its paths may lead out of the bank.
    """
    if EXTERNAL_MARK not in content:
        return
    # Parsing costs time and a package that ordinary models do not need.
    import onnx

    model = onnx.load_from_string(content)
    external = onnx.TensorProto.EXTERNAL
    outside = [tensor.name for tensor in all_tensors(model) if tensor.data_location == external]
    if outside:
        raise BadVoicebank(
            f"keeps weights in other files: {', '.join(outside[:3])}",
            where=where,
            remedy="save the model again with all weights in one file",
        )


def foreign_operators(content: bytes) -> list[str]:
    """Return `domain:operator` of everything in a model that is neither ONNX nor ONNX Runtime; [] if unreadable."""
    import onnx

    try:
        model = onnx.load_from_string(content)
    except Exception:  # whatever the parser calls it, a broken file has no operators
        return []
    own = {(function.domain, function.name) for function in model.functions}
    found = {
        f"{node.domain}:{node.op_type}"
        for node in all_nodes(model)
        if node.domain not in DOMAINS and (node.domain, node.op_type) not in own
    }
    return sorted(found)
