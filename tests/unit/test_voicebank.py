"""Reading a bank: what is found, and what a bank that is wrong is told."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest
from tests.unit.tiny_bank import DEMO, FILES, Files, write_bank

from quincunx_shared.bank_folder import file_digest
from quincunx_shared.canonical import canonical_bytes
from quincunx_shared.errors import BadVoicebank
from quincunx_shared.voicebank import load_voicebank

CONFIG = str(FILES["dsconfig.yaml"])


def refusal(root: Path, **options: list[Path]) -> BadVoicebank:
    with pytest.raises(BadVoicebank) as refused:
        load_voicebank(root, vocoder_dirs=options.get("vocoder_dirs", []))
    return refused.value


def test_a_bank_is_known_by_the_content_of_its_files(tmp_path: Path) -> None:
    bank = load_voicebank(write_bank(tmp_path / "here"))

    assert bank.name == "Tiny"
    assert bank.acoustic == hashlib.sha256(b"an acoustic model").hexdigest()
    assert bank.files[bank.vocoder].name == "vocoder.onnx"
    assert bank.phoneme_ids == {"<PAD>": 0, "AP": 1, "SP": 2, "en/aa": 3, "en/k": 4}
    assert (bank.sample_rate, bank.hop_size) == (44100, 512)
    assert load_voicebank(write_bank(tmp_path / "there")).phonology() == bank.phonology()


def test_the_phonology_names_dictionaries_by_content_and_stays_small(tmp_path: Path) -> None:
    words = "".join(f"- {{grapheme: w{number}, phonemes: [en/k, en/aa]}}\n" for number in range(20_000))
    changes = {"dsdict-en.yaml": f"entries:\n{words}", "dsdict.yaml": "symbols: []\n"}
    bank = load_voicebank(write_bank(tmp_path, changes))

    assert bank.phonology() == {
        "phones": ["AP", "SP", "en/aa", "en/k"],
        "dictionaries": {"": file_digest(tmp_path / "dsdict.yaml"), "en": file_digest(tmp_path / "dsdict-en.yaml")},
    }
    assert len(canonical_bytes(bank.phonology())) < 1000


def test_a_dictionary_beside_the_duration_model_wins(tmp_path: Path) -> None:
    bank = load_voicebank(write_bank(tmp_path, {"dsdur/dsdict-en.yaml": "symbols: []"}))

    assert bank.dictionaries["en"] == file_digest(tmp_path / "dsdur" / "dsdict-en.yaml")


def test_the_demo_bank_knows_its_phones_and_languages() -> None:
    bank = load_voicebank(DEMO)

    assert {"SP", "AP", "en/aa", "ja/a"} <= set(bank.phoneme_ids)
    assert set(bank.dictionaries) == {"en", "ja", "zh"}


def test_phonemes_may_be_json_and_share_numbers(tmp_path: Path) -> None:
    changes = {
        "dsconfig.yaml": CONFIG.replace("phonemes.txt", "phonemes.json") + "languages: languages.json\n",
        "phonemes.json": '{"SP": 1, "zh/a": 2, "ja/a": 2}',
        "languages.json": '{"zh": 1, "ja": 2}',
    }
    bank = load_voicebank(write_bank(tmp_path, changes))

    assert bank.phoneme_ids == {"SP": 1, "zh/a": 2, "ja/a": 2}
    assert bank.language_ids == {"zh": 1, "ja": 2}


def test_speakers_are_known_by_their_embeddings(tmp_path: Path) -> None:
    config = CONFIG + "hidden_size: 2\nspeakers: [embeds/soft]\n"
    bank = load_voicebank(write_bank(tmp_path, {"dsconfig.yaml": config, "embeds/soft.emb": b"12345678"}))

    assert bank.speakers == {"embeds/soft": hashlib.sha256(b"12345678").hexdigest()}
    (tmp_path / "embeds" / "soft.emb").write_bytes(b"123")
    assert "2 float32" in refusal(tmp_path).what


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("name=Ünï\n".encode(), "Ünï"),
        ("image=a.png\nname=重音テト\n".encode("cp932"), "重音テト"),
        ("\ufeffNAME : 重音テト\r\n".encode(), "重音テト"),
        (b"name=A: B\n", "A: B"),
        (b"author=x\n", "bank"),
    ],
)
def test_the_name_is_read_in_whatever_encoding_it_is(tmp_path: Path, text: bytes, name: str) -> None:
    assert load_voicebank(write_bank(tmp_path / "bank", {"character.txt": text})).name == name


def test_the_declared_encoding_of_the_name_wins(tmp_path: Path) -> None:
    changes: Files = {"character.yaml": "text_file_encoding: gbk\n", "character.txt": "name=歌手\n".encode("gbk")}

    assert load_voicebank(write_bank(tmp_path, changes)).name == "歌手"


def test_diffusion_depth_is_read_in_either_unit(tmp_path: Path) -> None:
    old = load_voicebank(write_bank(tmp_path / "old", {"dsconfig.yaml": CONFIG + "max_depth: 300\n"}))
    continuous = CONFIG + "use_continuous_acceleration: true\nmax_depth: 0.4\n"
    new = load_voicebank(write_bank(tmp_path / "new", {"dsconfig.yaml": continuous}))

    assert (old.settings.depth_limit, new.settings.depth_limit) == (0.3, 0.4)


def test_a_vocoder_is_found_by_name_in_the_search_path(tmp_path: Path) -> None:
    config = CONFIG + "vocoder: nsf_hifigan\n"
    root = write_bank(tmp_path / "bank", {"dsconfig.yaml": config, "dsvocoder/vocoder.yaml": None})
    found = tmp_path / "second" / "nsf_hifigan"
    found.mkdir(parents=True)
    (found / "vocoder.yaml").write_text("model: m.onnx")
    (found / "m.onnx").write_bytes(b"shared")

    bank = load_voicebank(root, vocoder_dirs=[tmp_path / "first", tmp_path / "second"])
    assert bank.files[bank.vocoder] == found / "m.onnx"


def test_a_bank_without_its_vocoder_is_told_where_it_was_looked_for(tmp_path: Path) -> None:
    config = CONFIG + "vocoder: nsf_hifigan\n"
    root = write_bank(tmp_path, {"dsconfig.yaml": config, "dsvocoder/vocoder.yaml": None})
    told = str(refusal(root, vocoder_dirs=[tmp_path / "deps"]))

    assert f"vocoder nsf_hifigan not found in {tmp_path / 'deps'}" in told
    assert "--vocoder-dir" in told


@pytest.mark.parametrize("name", ["..", "../deps", "/etc", "C:\\deps", "a/b"])
def test_a_vocoder_is_a_name_and_never_a_path(tmp_path: Path, name: str) -> None:
    changes = {"dsconfig.yaml": CONFIG + f"vocoder: '{name}'\n", "dsvocoder/vocoder.yaml": None}
    (tmp_path / "vocoder.yaml").write_text("model: m.onnx")

    refusal(write_bank(tmp_path / "bank", changes), vocoder_dirs=[tmp_path / "deps"])


def test_a_vocoder_for_other_spectrograms_is_refused(tmp_path: Path) -> None:
    root = write_bank(tmp_path, {"dsvocoder/vocoder.yaml": "model: vocoder.onnx\nhop_size: 256\n"})

    assert "hop_size 256 (bank: 512)" in refusal(root).what


@pytest.mark.parametrize(
    "written",
    ["../acoustic.onnx", "a/../../acoustic.onnx", "/etc/passwd", "C:\\a.onnx", "c:a.onnx", "..\\a.onnx", "\\\\host\\a"],
)
def test_no_path_leads_out_of_the_bank(tmp_path: Path, written: str) -> None:
    (tmp_path / "acoustic.onnx").write_bytes(b"outside")
    root = write_bank(tmp_path / "bank", {"dsconfig.yaml": f"acoustic: '{written}'\n"})
    told = refusal(root)

    assert told.where.endswith("dsconfig.yaml: acoustic")
    assert "leads out" in told.what or "not a path inside" in told.what


def test_no_symbolic_link_leads_out_of_the_bank(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"outside")
    root = write_bank(tmp_path / "bank", {"acoustic.onnx": None})
    (root / "acoustic.onnx").symlink_to(tmp_path / "secret")

    assert "leads out" in refusal(root).what


def test_a_path_may_go_up_inside_the_bank(tmp_path: Path) -> None:
    changes: Files = {"dsvocoder/vocoder.yaml": "model: ..\\dsmain\\vocoder.onnx\n", "dsmain/vocoder.onnx": b"main"}
    bank = load_voicebank(write_bank(tmp_path, changes))

    assert bank.files[bank.vocoder] == tmp_path / "dsmain" / "vocoder.onnx"


@pytest.mark.parametrize(
    ("changes", "place", "what"),
    [
        ({"dsconfig.yaml": None}, "", "no dsconfig.yaml"),
        ({"dsconfig.yaml": "- a list\n"}, "dsconfig.yaml", "key: value"),
        ({"dsconfig.yaml": "acoustic: a\nacoustic: b\n"}, "dsconfig.yaml:2", "stands here twice"),
        ({"dsconfig.yaml": "vocoder: x\n"}, "dsconfig.yaml", "acoustic: Field required"),
        ({"dsconfig.yaml": CONFIG + "hop_size: many\n"}, "dsconfig.yaml", "hop_size"),
        ({"dsconfig.yaml": CONFIG + "mel_fmin: .nan\n"}, "dsconfig.yaml", "mel_fmin"),
        ({"dsconfig.yaml": CONFIG + "mel_fmax: 1e999\n"}, "dsconfig.yaml", "mel_fmax"),
        ({"dsconfig.yaml": CONFIG + f"hop_size: {'9' * 6000}\n"}, "dsconfig.yaml", "hop_size"),
        ({"dsconfig.yaml": CONFIG + "speakers: [[a]]\n"}, "dsconfig.yaml", "speakers"),
        ({"dsconfig.yaml": CONFIG + "use_lang_id: true\n"}, "dsconfig.yaml: languages", "languages.json is missing"),
        ({"dsconfig.yaml": CONFIG + "speakers: [soft]\n"}, "dsconfig.yaml: speakers", "soft.emb is missing"),
        ({"acoustic.onnx": None}, "dsconfig.yaml: acoustic", "acoustic.onnx is missing"),
        ({"phonemes.txt": None}, "dsconfig.yaml: phonemes", "phonemes.txt is missing"),
        ({"phonemes.txt": "<PAD>\nen/aa\n"}, "phonemes.txt", "no phone SP"),
        ({"phonemes.txt": "SP\na\na\n"}, "phonemes.txt", "'a' stands twice"),
        ({"dsvocoder/vocoder.onnx": None}, "vocoder.yaml: model", "vocoder.onnx is missing"),
        ({"dsvocoder/vocoder.yaml": None}, "dsconfig.yaml", "no vocoder is named"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, changes: Files, place: str, what: str) -> None:
    told = refusal(write_bank(tmp_path, changes))

    assert told.where.endswith(place)
    assert what in told.what


@pytest.mark.parametrize("text", ["[]", '{"SP": true}', '{"SP": -1}', '{"SP": 1, "SP": 2}', "{", '{"SP": {"a": 1}}'])
def test_a_wrong_phonemes_json_is_refused(tmp_path: Path, text: str) -> None:
    changes = {"dsconfig.yaml": CONFIG.replace(".txt", ".json"), "phonemes.json": text}

    assert refusal(write_bank(tmp_path, changes)).where.endswith("phonemes.json")


def test_the_place_of_a_bank_does_not_matter(tmp_path: Path) -> None:
    moved = shutil.copytree(DEMO, tmp_path / "moved")

    assert load_voicebank(moved).phonology() == load_voicebank(DEMO).phonology()
    assert load_voicebank(moved).acoustic == load_voicebank(DEMO).acoustic
