"""The step phonemize: from what a note says to what it sounds like."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.tiny_bank import DEMO, BankContext, bank_of_phones, yaml_entries

from quincunx_shared.canonical import canonical_bytes
from quincunx_shared.errors import BadInput
from quincunx_shared.phonemes import Phonemes
from quincunx_shared.phrase import Extension, Lyric, Lyrics
from quincunx_shared.voicebank import Voicebank, load_voicebank
from quincunx_workers.steps.phonemize import STEP

BANK = load_voicebank(DEMO)
EXTENSIONS: dict[str, Extension] = {"+": "syllable", "+~": "vowel", "+*": "vowel"}


def lyric(written: str) -> Lyric:
    """Return a lyric as a reader gives it: `text[hint hint]`."""
    text, _, hint = written.removesuffix("]").partition("[")
    return Lyric(text, tuple(hint.split()), EXTENSIONS.get(text, ""))


def payload(*written: str, bank: Voicebank = BANK, language: str = "") -> Any:
    lyrics = Lyrics(tuple(map(lyric, written)), (False, *(True for _ in written[1:])))
    inputs = {"lyrics": lyrics.to_payload(), "phonology": bank.phonology()}
    return STEP.run(inputs, STEP.manifest.resolve_options({"language": language}), BankContext(bank))


def sung(*written: str, bank: Voicebank = BANK, language: str = "") -> list[str]:
    return [" ".join(symbols) for symbols in payload(*written, bank=bank, language=language)["notes"]]


def refusal(*written: str, bank: Voicebank = BANK) -> BadInput:
    with pytest.raises(BadInput) as refused:
        payload(*written, bank=bank)
    return refused.value


def test_each_lyric_is_sung_in_the_language_of_its_letters() -> None:
    assert sung("hello", "さ", "サ", "world") == [
        "en/hh en/ah en/l en/ow",
        "ja/s ja/a",
        "ja/s ja/a",
        "en/w en/er en/l en/d",
    ]


def test_words_that_sound_alike_have_the_same_bytes() -> None:
    assert canonical_bytes(payload("too")) == canonical_bytes(payload("two")) == canonical_bytes(payload("Two!"))
    assert canonical_bytes(payload("か")) == canonical_bytes(payload("カ"))


def test_the_payload_says_which_phones_carry_the_tone() -> None:
    assert payload("hello", "+") == {"notes": [["en/hh", "en/ah"], ["en/l", "en/ow"]], "nuclei": [[1], [1]]}
    assert Phonemes.from_payload(payload("hello", "+")).to_payload() == payload("hello", "+")


def test_a_word_goes_on_over_its_notes() -> None:
    assert sung("winds", "+~", "+") == ["en/w en/ih", "", "en/n en/d en/z"]
    assert sung("さくら", "+", "+") == ["ja/s ja/a", "ja/k ja/u", "ja/r ja/a"]
    assert sung("ラーメン", "+", "+", "+") == ["ja/r ja/a", "", "ja/m ja/e", "ja/N"]
    assert sung("ら", "ー", "め") == ["ja/r ja/a", "", "ja/m ja/e"]


def test_rests_and_breaths_are_no_words() -> None:
    assert sung("R", "SP", "AP", "la", "-", "R", "-") == ["SP", "SP", "AP", "en/l en/aa", "", "SP", "SP"]
    assert sung("rest", "breath") == ["en/r en/eh en/s en/t", "en/b en/r en/eh en/th"]


def test_hints_win() -> None:
    assert sung("world[hh ax l ow]", "+") == ["en/hh en/ah", "en/l en/ow"]
    assert sung("あ[k i]", "x[en/k ja/a]", "x[AA1]", "x[SP]") == ["ja/k ja/i", "en/k ja/a", "en/aa", "SP"]


def test_an_unknown_phone_is_told_with_the_note_and_the_nearest() -> None:
    told = refusal("la", "x[hhq]")

    assert told.where == "notes[1].lyric"
    assert "no phone 'hhq'; did you mean 'h" in told.what
    assert "'en/aa'" in refusal("x[en/aaa]").what


def test_every_note_that_cannot_be_sung_is_named() -> None:
    told = str(refusal("桜", "か", "★", "2"))

    assert all(f"notes[{place}].lyric" in told for place in (0, 2, 3))
    assert "in kana" in told


def test_hanzi_are_mandarin_unless_there_is_kana_beside_them() -> None:
    assert sung("我", "爱", "你") == ["zh/w zh/o", "zh/ai", "zh/n zh/i"]
    assert "in Japanese" in refusal("桜", "の").what
    assert sung("hello", "你") == ["en/hh en/ah en/l en/ow", "zh/n zh/i"]


def test_a_character_is_read_as_its_neighbours_have_it() -> None:
    assert sung("银", "行", "+", "R", "行", "走") == [
        "zh/y zh/in",
        "zh/h zh/ang",
        "",
        "SP",
        "zh/x zh/ing",
        "zh/z zh/ou",
    ]
    assert sung("音", "+~", "乐")[2] == sung("音乐", "+")[1] == "zh/y zh/ve"
    assert sung("银行", "+", "+") == ["zh/y zh/in", "zh/h zh/ang", ""]


def test_pinyin_is_sung_with_and_without_tones() -> None:
    spelt = sung("lü4", "lǜ", "nv3", "zhi1", "zi5", "xuan", "yan", language="zh")
    assert spelt == ["zh/l zh/v", "zh/l zh/v", "zh/n zh/v", "zh/zh zh/ir", "zh/z zh/i0", "zh/x zh/van", "zh/y zh/En"]
    assert sung("ni3", "hǎo") == ["zh/n zh/i", "zh/h zh/ao"], "no other language writes tones"


def test_only_a_phrase_with_hanzi_pays_for_their_readings() -> None:
    """In a process of its own, as other tests may have read Hanzi before."""
    told = """
import sys
from quincunx_workers.singing.mandarin import pinyin_of
from quincunx_workers.steps import phonemize
print("pypinyin" in sys.modules)
pinyin_of(["\u4f60"])
print("pypinyin" in sys.modules)
"""
    ran = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "True"]


def test_a_bank_without_entries_sings_pinyin_with_its_own_phones(tmp_path: Path) -> None:
    bank = bank_of_phones(tmp_path, "n i h ao")
    assert sung("你", "好", bank=bank) == ["n i", "h ao"]


def test_a_character_nobody_reads_is_named() -> None:
    told = refusal("你", "々")
    assert told.where == "notes[1].lyric"
    assert "'々' has no reading in Mandarin" in told.what
    assert "ni3" in (told.remedy or "")


def test_a_bank_that_sings_no_mandarin_says_so(tmp_path: Path) -> None:
    told = refusal("你", bank=bank_of_phones(tmp_path, "en/aa en/k"))
    assert "needs the phone 'n'" in told.what
    assert "it sings en" in told.what


@given(st.lists(st.text(alphabet="银行我々〇丷ー+Rか", max_size=4), min_size=1, max_size=5))
def test_any_hanzi_are_sung_or_refused(written: list[str]) -> None:
    try:
        made = sung(*written)
    except BadInput:
        return
    assert len(made) == len(written)


@pytest.mark.parametrize("written", ["", "?!", "Привет", "'", "가", "+", "か漢", "\x00", "❤️", "1st"])
def test_what_cannot_be_read_is_refused_with_a_remedy(written: str) -> None:
    told = refusal(written)

    assert told.where == "notes[0].lyric"
    assert told.remedy


@given(
    st.lists(st.text(max_size=8) | st.text(alphabet="aeklsty'-~+ー っんかぁゃ[] R", max_size=8), min_size=1, max_size=4)
)
def test_any_text_is_sung_or_refused(written: list[str]) -> None:
    lyrics = Lyrics(tuple(Lyric(text) for text in written), tuple(place > 0 for place in range(len(written))))
    inputs = {"lyrics": lyrics.to_payload(), "phonology": BANK.phonology()}
    try:
        made = Phonemes.from_payload(STEP.run(inputs, STEP.manifest.resolve_options({}), BankContext(BANK)))
    except BadInput:
        return

    assert len(made.notes) == len(written)
    for note in made.notes:
        assert set(note.symbols) <= set(BANK.phoneme_ids)
        assert list(note.nuclei) == sorted(set(note.nuclei))
        assert all(0 <= place < len(note.symbols) for place in note.nuclei)


@given(st.lists(st.text(max_size=5), min_size=1, max_size=4))
def test_any_hint_is_sung_or_refused(names: list[str]) -> None:
    inputs = {"lyrics": Lyrics((Lyric("a", tuple(names)),), (False,)).to_payload(), "phonology": BANK.phonology()}
    try:
        made = STEP.run(inputs, STEP.manifest.resolve_options({}), BankContext(BANK))
    except BadInput:
        return

    assert set(made["notes"][0]) <= set(BANK.phoneme_ids)


def test_the_bank_s_dictionary_wins_over_the_lexicon(tmp_path: Path) -> None:
    entries = yaml_entries({"live": ["en/l", "en/ay", "en/v"]})
    bank = bank_of_phones(tmp_path, "en/l en/ay en/ih en/v", en=entries)

    assert sung("Live", bank=bank) == ["en/l en/ay en/v"]


def test_a_bank_may_rename_the_phones_of_the_lexicon(tmp_path: Path) -> None:
    bank = bank_of_phones(tmp_path, "en/HH en/V en/L en/O", en="""
replacements: [{from: hh, to: en/HH}, {from: ah, to: en/V}, {from: l, to: en/L}, {from: ow, to: en/O}]
""")  # fmt: skip

    assert sung("hello", bank=bank) == ["en/HH en/V en/L en/O"]


def test_plain_phones_are_found_without_their_language(tmp_path: Path) -> None:
    japanese = bank_of_phones(tmp_path / "ja", "a i u e o N cl k s sh r n y w")
    english = bank_of_phones(tmp_path / "en", "hh ah l ow")

    assert sung("さ", "kya", "no", bank=japanese) == ["s a", "k y a", "n o"]
    assert sung("hello", bank=english) == ["hh ah l ow"]


def test_a_plain_dictionary_of_another_language_is_asked(tmp_path: Path) -> None:
    bank = bank_of_phones(tmp_path, "n i h ao", plain=yaml_entries({"ni": ["n", "i"], "hao": ["h", "ao"]}))

    assert sung("ni", "hao", bank=bank) == ["n i", "h ao"]


def test_a_preferred_language_is_asked_first() -> None:
    assert sung("sake", "love", language="ja") == ["ja/s ja/a ja/k ja/e", "ja/r ja/o ja/v ja/e"]
    assert sung("sake", "さ", language="en") == ["en/s en/ey en/k", "ja/s ja/a"]


def test_a_language_the_bank_does_not_sing_is_told(tmp_path: Path) -> None:
    told = refusal("さ", bank=bank_of_phones(tmp_path, "en/hh en/ah"))

    assert "'さ' needs the phone 's', which this bank does not have; it sings en" in told.what
