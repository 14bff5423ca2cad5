"""From letters to sounds: kana, romaji, English words and spellings."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quincunx_workers.lexicon import Lexicon, english
from quincunx_workers.lexicon.build import pack, parse
from quincunx_workers.singing.english import pronounce, words_of
from quincunx_workers.singing.kana import kana_moras, roman_moras, to_hiragana
from quincunx_workers.singing.letters import spell_out
from quincunx_workers.singing.phonology import Phonology
from quincunx_workers.singing.syllables import syllabify

HIRAGANA = "".join(map(chr, range(ord("ぁ"), ord("ゖ") + 1))) + "ー"
SOUNDS = "aa ae ah ao aw ay b ch d dh eh er ey f g hh ih iy jh k l m n ng ow oy p r s sh t th uh uw v w y z zh"
ARPABET = set(SOUNDS.split())
KIND = Phonology(frozenset(), {}).kind


def spoken(text: str) -> str | None:
    """Return the moras of kana as one text."""
    moras = kana_moras(text)
    return None if moras is None else " ".join("".join(mora) for mora in moras)


@pytest.mark.parametrize(
    ("text", "moras"),
    [
        ("さくら", "sa ku ra"),
        ("しちつふじぢづを", "shi chi tsu fu ji ji zu o"),
        ("きゃしゅちょりゃ", "kya shu cho rya"),
        ("ふぁてぃでゅうぉくぁしぇ", "fa ti dyu wo kwa she"),
        ("ヴァイオリン", "va i o ri N"),
        ("きって", "ki clte"),
        ("あっ", "acl"),
        ("ラーメン", "ra  me N"),
        ("かぁ", "ka a"),
    ],
)
def test_kana_are_read_mora_by_mora(text: str, moras: str) -> None:
    assert spoken(text) == moras


@given(st.text(alphabet=HIRAGANA, max_size=12))
def test_hiragana_and_katakana_in_any_form_sound_alike(text: str) -> None:
    katakana = "".join(chr(ord(letter) + 0x60) if letter != "ー" else letter for letter in text)

    assert to_hiragana(katakana) == text
    assert kana_moras(unicodedata.normalize("NFD", katakana)) == kana_moras(text)


def test_half_width_kana_sound_like_full_width() -> None:
    assert kana_moras("ﾊﾞﾚﾝﾀｲﾝ") == kana_moras("ばれんたいん")


@pytest.mark.parametrize("text", ["漢", "かa", "か゜", "❤"])
def test_what_is_no_kana_is_left_to_others(text: str) -> None:
    assert kana_moras(text) is None


ROMAN = "a ka ga sa za ta da na ha ba pa ma ya ra wa kya gya sha ja cha nya hya bya pya mya rya"
KANA = "あ か が さ ざ た だ な は ば ぱ ま や ら わ きゃ ぎゃ しゃ じゃ ちゃ にゃ ひゃ びゃ ぴゃ みゃ りゃ"
KANA_OF = dict(zip(ROMAN.split(), KANA.split(), strict=True))
COMMON_WORDS = "light nation table running wanted liked gentle phone quick church though world making singing day"


@given(st.lists(st.sampled_from(sorted(KANA_OF)), min_size=1, max_size=6))
def test_romaji_sound_like_the_kana_they_stand_for(syllables: list[str]) -> None:
    assert roman_moras("".join(syllables)) == kana_moras("".join(KANA_OF[one] for one in syllables))


@pytest.mark.parametrize(
    ("roman", "kana"),
    [
        ("shinbun", "しんぶん"),
        ("kon'ya", "こんや"),
        ("konnichiwa", "こんにちわ"),
        ("matcha", "まっちゃ"),
        ("kitte", "きって"),
        ("tuti", "つち"),
        ("ra-men", "らーめん"),
        ("Fuji", "ふじ"),
    ],
)
def test_hepburn_and_kunrei_are_both_read(roman: str, kana: str) -> None:
    assert roman_moras(roman) == kana_moras(kana)


def test_english_is_no_romaji() -> None:
    assert roman_moras("hello") is None


def test_the_lexicon_knows_every_word_it_was_made_of() -> None:
    words = {"a": ("ah",), "ab": ("ae", "b"), "b'c": ("b", "k"), "zz": ("z",), "é": ("ey",)}
    lexicon = Lexicon.from_bytes(pack(words))

    assert {word: lexicon.find(word) for word in words} == words


@given(st.dictionaries(st.text(alphabet="ab'é", min_size=1, max_size=5), st.just(("b", "aa")), max_size=20), st.text())
def test_the_lexicon_knows_no_other_word(words: dict[str, tuple[str, ...]], word: str) -> None:
    assert Lexicon.from_bytes(pack(words)).find(word) == words.get(word)


def test_a_dictionary_is_read_without_stress_comments_and_second_pronunciations() -> None:
    lines = ["a AH0\n", "a(2) EY1\n", "Aalen AE1 L AH0 N # place, german\n", "\n"]

    assert parse(lines) == {"a": ("ah",), "aalen": ("ae", "l", "ah", "n")}


def test_the_packaged_lexicon_holds_the_whole_dictionary() -> None:
    assert english().text.count(b"\n") > 120_000
    assert set(english().phones.values()) == ARPABET
    assert english().find("hello") == ("hh", "ah", "l", "ow")
    assert english().find("quincunx") is None


@pytest.mark.parametrize(
    ("word", "phones"),
    [
        ("sooo", "s ow"),
        ("looove", "l ah v"),
        ("'hello'", "hh ah l ow"),
        ("smurfin'", "s m er f ih n"),
        ("glorp's", "g l ao r p s"),
        ("lalala", "l aa l aa l aa"),
        ("nightlight", "n ay t l ay t"),
        ("brake", "b r ey k"),
        ("bzzt", "b z t"),
    ],
)
def test_words_beyond_the_lexicon_are_spelled_out(word: str, phones: str) -> None:
    assert " ".join(pronounce(word)) == phones


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz'", max_size=20))
def test_any_spelling_gives_arpabet(word: str) -> None:
    assert set(spell_out(word)) <= ARPABET
    assert set(pronounce(word)) <= ARPABET


def test_spelling_rules_get_most_sounds_of_common_words_right() -> None:
    words = COMMON_WORDS.split()
    right = [word for word in words if spell_out(word) == english().find(word)]

    assert len(right) >= 0.6 * len(words), sorted(set(words) - set(right))


def test_accents_and_capitals_do_not_matter() -> None:
    assert words_of("Café au-LAIT ~") == ["cafe", "au", "lait"]
    assert words_of("don’t") == ["don't"]
    assert words_of("Привет") is None


@pytest.mark.parametrize(
    ("phones", "syllables"),
    [
        ("hh ah l ow", "hh-ah l-ow"),
        ("eh k s t r ah", "eh-k s-t-r-ah"),
        ("s ih ng ih ng", "s-ih-ng ih-ng"),
        ("w ih n t er", "w-ih-n t-er"),
        ("hh m", "hh-m"),
        ("sh", "sh"),
        ("k i cl t e", "k-i cl-t-e"),
        ("a a", "a a"),
    ],
)
def test_consonants_between_vowels_open_the_next_syllable_as_far_as_they_can(phones: str, syllables: str) -> None:
    made = syllabify(phones.split(), KIND)

    assert " ".join("-".join((*one.onset, one.nucleus, *one.coda)) for one in made) == syllables


@given(st.lists(st.sampled_from(["aa", "iy", "k", "s", "t", "r", "ng", "m", "cl"]), max_size=12))
def test_syllables_keep_every_phone_in_order(phones: list[str]) -> None:
    made = syllabify(phones, KIND)

    assert [phone for one in made for phone in (*one.onset, one.nucleus, *one.coda)] == phones
