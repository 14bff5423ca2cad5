"""A linguistic encoder and a variance model of a few nodes, which tell what they were fed."""

from __future__ import annotations

from pathlib import Path

from onnx.helper import make_node, make_tensor
from tests.unit.tiny_models import BOOL, FLOAT, INT64, built, value


def linguistic(*, words: bool = False) -> bytes:
    """encoder_out[0, p, 0] = token p; with words, 100 · (how many) is added to each."""
    nodes = [
        make_node("Cast", ["tokens"], ["floats"], to=FLOAT),
        make_node("Unsqueeze", ["floats", "last"], ["rows"]),
        make_node("Greater", ["tokens", "none"], ["x_masks"]),
    ]
    inputs = [value("tokens", INT64, 1, "P"), value("languages", INT64, 1, "P")]
    constants = [make_tensor("last", INT64, [1], [2]), make_tensor("none", INT64, [], [0])]
    if words:
        inputs += [value("word_div", INT64, 1, "W"), value("word_dur", INT64, 1, "W")]
        constants.append(make_tensor("hundred", FLOAT, [], [100]))
        nodes += [
            make_node("Shape", ["word_div"], ["W"], start=1),
            make_node("Cast", ["W"], ["count"], to=FLOAT),
            make_node("Mul", ["count", "hundred"], ["hundreds"]),
            make_node("Add", ["rows", "hundreds"], ["encoder_out"]),
        ]
    else:
        inputs.append(value("ph_dur", INT64, 1, "P"))
        nodes.append(make_node("Identity", ["rows"], ["encoder_out"]))
    outputs = [value("encoder_out", FLOAT, 1, "P", 1), value("x_masks", BOOL, 1, "P")]
    return built(nodes, inputs, outputs, constants)


def variance() -> bytes:
    """energy_pred is the given energy, or pitch plus the sum of the encoder where it is taken anew.

    breathiness_pred counts the curves that are taken anew.
    """
    nodes = [
        make_node("ReduceSum", ["encoder_out", "axes"], ["sum"], keepdims=0),
        make_node("Add", ["pitch", "sum"], ["fresh"]),
        make_node("Gather", ["retake", "first"], ["again"], axis=2),
        make_node("Where", ["again", "fresh", "energy"], ["energy_pred"]),
        make_node("Cast", ["retake"], ["flags"], to=FLOAT),
        make_node("ReduceSum", ["flags", "third"], ["breathiness_pred"], keepdims=0),
    ]
    inputs = [
        value("encoder_out", FLOAT, 1, "P", 1),
        value("ph_dur", INT64, 1, "P"),
        value("pitch", FLOAT, 1, "T"),
        value("energy", FLOAT, 1, "T"),
        value("breathiness", FLOAT, 1, "T"),
        value("retake", BOOL, 1, "T", 2),
        value("steps", INT64),
    ]
    constants = [
        make_tensor("axes", INT64, [3], [0, 1, 2]),
        make_tensor("first", INT64, [], [0]),
        make_tensor("third", INT64, [1], [2]),
    ]
    outputs = [value("energy_pred", FLOAT, 1, "T"), value("breathiness_pred", FLOAT, 1, "T")]
    return built(nodes, inputs, outputs, constants)


def write_variance(bank: Path, *, words: bool = False) -> None:
    """Add a variance model to a bank; its tables are those of the bank, shared by relative paths."""
    folder = bank / "dsvariance"
    folder.mkdir()
    config = "linguistic: linguistic.onnx\nvariance: variance.onnx\nphonemes: ../phonemes.txt\n"
    (folder / "dsconfig.yaml").write_text(config, encoding="utf-8")
    (folder / "linguistic.onnx").write_bytes(linguistic(words=words))
    (folder / "variance.onnx").write_bytes(variance())
