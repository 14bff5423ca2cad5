"""The bank is a DiffSinger bank: complete, small, readable and the one its generator writes."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import yaml
from onnx import numpy_helper
from tests.demo_voice.singer import BANK, Singer, named, tokens_by_name

from quincunx_workers.demo_voice.bank import bank_files

ARPABET = named(
    "en", "aa ae ah ao aw ay b ch d dh eh er ey f g hh ih iy jh k l m n ng ow oy p r s sh t th uh uw v w y z zh"
)
TYPES = {"vowel", "semivowel", "liquid", "nasal", "stop", "fricative", "affricate"}
MODELS = sorted(BANK.rglob("*.onnx"))


def read(name: str) -> Any:
    return yaml.safe_load((BANK / name).read_text("utf-8"))


def test_the_generator_writes_the_committed_bank() -> None:
    written = bank_files()
    committed = {path.relative_to(BANK).as_posix(): path.read_bytes() for path in BANK.rglob("*") if path.is_file()}

    assert written.keys() == committed.keys()
    for name in written:
        if name.endswith(".onnx"):
            assert_same_graph(onnx.load_from_string(written[name]), onnx.load_from_string(committed[name]))
        else:
            assert written[name] == committed[name], name


def assert_same_graph(one: onnx.ModelProto, other: onnx.ModelProto) -> None:
    """Equal nodes; constants equal but for the last bits, which another machine's sine may round otherwise."""
    assert [node.SerializeToString() for node in one.graph.node] == [
        node.SerializeToString() for node in other.graph.node
    ]
    for mine, theirs in zip(one.graph.initializer, other.graph.initializer, strict=True):
        assert mine.name == theirs.name
        np.testing.assert_allclose(numpy_helper.to_array(mine), numpy_helper.to_array(theirs), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("model", MODELS, ids=lambda path: path.name)
def test_the_graphs_use_no_chance_no_loops_and_no_foreign_operators(model: Path) -> None:
    graph = onnx.load(model)

    assert {opset.domain for opset in graph.opset_import} == {""}
    assert {node.domain for node in graph.graph.node} == {""}
    used = {node.op_type for node in graph.graph.node}
    assert not {op for op in used if op.startswith("Random")} | (
        used & {"Loop", "Scan", "If", "Multinomial", "Bernoulli"}
    )


def test_the_whole_bank_is_smaller_than_a_photograph() -> None:
    assert sum(path.stat().st_size for path in BANK.rglob("*") if path.is_file()) < 1_000_000


def test_the_acoustic_model_takes_and_gives_what_diffsingers_do(singer: Singer) -> None:
    inputs = {each.name: (each.type, each.shape) for each in singer.acoustic.get_inputs()}
    assert inputs == {
        "tokens": ("tensor(int64)", ["batch", "n_tokens"]),
        "durations": ("tensor(int64)", ["batch", "n_tokens"]),
        "f0": ("tensor(float)", ["batch", "n_frames"]),
        "gender": ("tensor(float)", ["batch", "n_frames"]),
        "velocity": ("tensor(float)", ["batch", "n_frames"]),
        "spk_embed": ("tensor(float)", ["batch", "n_frames", 2]),
        "steps": ("tensor(int64)", [1]),
    }
    (mel,) = singer.acoustic.get_outputs()
    assert (mel.name, mel.type, mel.shape) == ("mel", "tensor(float)", ["batch", "n_frames", 128])


def test_the_vocoder_asks_for_a_mel_and_a_pitch_and_no_more(singer: Singer) -> None:
    assert [each.name for each in singer.vocoder.get_inputs()] == ["mel", "f0"]
    optional = {each.name: each.type for each in singer.vocoder.get_overridable_initializers()}
    assert optional == {"phase0": "tensor(double)", "noise_offset": "tensor(int64)"}
    assert [each.name for each in singer.vocoder.get_outputs()] == ["waveform"]


def test_both_models_agree_on_the_mel() -> None:
    acoustic, vocoder = read("dsconfig.yaml"), read("dsvocoder/vocoder.yaml")
    layout = {key for key in acoustic if key.startswith("mel_") or key.endswith(("_rate", "_size", "_bins"))}
    layout -= {"hidden_size"}
    assert len(layout) == 9
    assert {key: acoustic[key] for key in layout} == {key: vocoder[key] for key in layout}


def test_token_zero_is_padding_and_names_are_unique() -> None:
    names = (BANK / "phonemes.txt").read_text("utf-8").split()
    assert names[:3] == ["<PAD>", "AP", "SP"]
    assert len(set(names)) == len(names)


def test_every_arpabet_phone_is_there() -> None:
    assert set(ARPABET) <= tokens_by_name().keys()


@pytest.mark.parametrize("language", ["en", "ja", "zh"])
def test_a_dictionary_describes_exactly_its_languages_phones(language: str) -> None:
    symbols = read(f"dsdict-{language}.yaml")["symbols"]

    spoken = {name for name in tokens_by_name() if name.startswith(f"{language}/")}
    assert {symbol["symbol"] for symbol in symbols} == spoken | {"SP", "AP"}
    assert {symbol["type"] for symbol in symbols} <= TYPES
    assert all(20 <= symbol["duration_ms"] <= 300 for symbol in symbols)


def test_every_kana_reads_as_known_phones_that_end_on_something_singable() -> None:
    dictionary = read("dsdict-ja.yaml")
    types = {symbol["symbol"]: symbol["type"] for symbol in dictionary["symbols"]}
    entries = {entry["grapheme"]: entry["phonemes"] for entry in dictionary["entries"]}

    assert len(entries) == len(dictionary["entries"])
    for kana, phones in entries.items():
        assert types[phones[-1]] == "vowel" or kana == "っ", kana
        assert all(types[phone] != "vowel" for phone in phones[:-1]), kana


@pytest.mark.parametrize(
    ("kana", "phones"),
    [("さ", "s a"), ("し", "sh i"), ("きゃ", "ky a"), ("ふぁ", "f a"), ("ん", "N"), ("づ", "z u"), ("くぉ", "k w o")],
)
def test_kana_are_read_as_they_are_said(kana: str, phones: str) -> None:
    entries = {entry["grapheme"]: entry["phonemes"] for entry in read("dsdict-ja.yaml")["entries"]}
    assert entries[kana] == [f"ja/{phone}" for phone in phones.split()]


def test_every_syllable_of_mandarin_is_an_initial_and_a_final_or_a_final_alone() -> None:
    dictionary = read("dsdict-zh.yaml")
    types = {symbol["symbol"]: symbol["type"] for symbol in dictionary["symbols"]}
    entries = {entry["grapheme"]: entry["phonemes"] for entry in dictionary["entries"]}

    assert len(entries) == len(dictionary["entries"]) > 400
    for spelling, phones in entries.items():
        assert [types[phone] == "vowel" for phone in phones] in ([True], [False, True]) or spelling == "m", spelling
    used = {phone for phones in entries.values() for phone in phones}
    assert {name for name in tokens_by_name() if name.startswith("zh/")} <= used, "no phone is there for nothing"


def test_the_licence_travels_with_the_bank() -> None:
    assert read("character.yaml")["license"] == "CC0-1.0"
    assert "CC0 1.0" in (BANK / "README.md").read_text("utf-8")


def test_its_speakers_have_embeddings_and_colours() -> None:
    config, subbanks = read("dsconfig.yaml"), read("character.yaml")["subbanks"]
    assert [one["suffix"] for one in subbanks] == config["speakers"]
    assert subbanks[0]["color"] == ""
    for name in config["speakers"]:
        assert len(np.frombuffer((BANK / f"{name}.emb").read_bytes(), "<f4")) == config["hidden_size"]
