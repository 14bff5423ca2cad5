"""What a voice sings for the phonemes of other sets."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.tiny_bank import DEMO

from quincunx_orchestrator.score.transcript import DsSegment, Transcript
from quincunx_orchestrator.song.phone_mapping import PHONE_SETS, PhoneSet, best_set, sung_by, with_phones
from quincunx_shared.errors import BadInput
from quincunx_shared.voicebank import load_voicebank

PHONES = frozenset(load_voicebank(DEMO).phoneme_ids) - {"<PAD>"}
#: A bank that sings English and Japanese alone, so that the neighbours of Mandarin are needed.
WITHOUT_MANDARIN = frozenset(phone for phone in PHONES if not phone.startswith("zh/"))


def sung(phones: str, known: frozenset[str] = PHONES, lang: str = "") -> str:
    segment = DsSegment(tuple(phones.split()), lang=lang)
    return " ".join(sung_by(Transcript((segment,)), "demo", known).segments[0].ph_seq)


@pytest.mark.parametrize("known", PHONE_SETS, ids=lambda one: one.name)
@pytest.mark.parametrize("phones", [PHONES, WITHOUT_MANDARIN], ids=["demo", "without Mandarin"])
def test_the_demo_voice_sings_every_phone_of_every_set(known: PhoneSet, phones: frozenset[str]) -> None:
    silent = [
        phone
        for phone, ways in known.rows.items()
        if not any(all(one in phones for one in way.split()) for way in ways)
    ]
    assert silent == []


@pytest.mark.parametrize(
    ("phones", "expected"),
    [
        ("SP HH AH0 L OW1 SP", "SP en/hh en/ah en/l en/ow SP"),
        ("hh ah0 l ow1 dx", "en/hh en/ah en/l en/ow ja/r"),
        ("k o N n i ch i w a cl pau", "ja/k ja/o ja/N ja/n ja/i ja/ch ja/i ja/w ja/a ja/cl SP"),
        ("h @ l oU r\\ I N", "en/hh en/ah en/l en/ow en/r en/ih en/ng"),
        ("en/hh ja/a SP", "en/hh ja/a SP"),
    ],
)
def test_a_set_is_found_by_what_it_covers(phones: str, expected: str) -> None:
    assert sung(phones) == expected


def test_pinyin_is_sung_by_neighbours_where_the_voice_has_no_mandarin() -> None:
    assert sung("SP n i h ao q ing AP", WITHOUT_MANDARIN) == "SP en/n ja/i en/hh en/aw ja/ch ja/i en/ng AP"


def test_a_voice_with_the_phones_of_a_set_sings_those() -> None:
    assert sung("n i h ao", PHONES | {"zh/n", "zh/i", "zh/h", "zh/ao"}) == "zh/n zh/i zh/h zh/ao"
    assert sung("n i h ao", frozenset({"n", "i", "h", "ao", "SP"})) == "n i h ao"


def test_the_language_of_a_segment_chooses_among_the_voices_phones() -> None:
    assert sung("k a", frozenset({"zh/k", "zh/a", "ja/k", "ja/a"}), lang="ja") == "ja/k ja/a"
    assert sung("k a", frozenset({"zh/k", "zh/a", "ja/k", "ja/a"}), lang="zh") == "zh/k zh/a"


def test_what_several_sets_cover_is_read_as_the_rest_of_the_file() -> None:
    assert best_set(["k", "a"], "", ["k", "a", "ky", "o", "cl"]).name == "romaji"
    assert best_set(["k", "a"], "ja", []).name == "romaji"
    assert best_set(["k", "a"], "", ["k", "a", "zh", "uang"]).name.startswith("opencpop")


def test_a_phoneme_sung_as_several_shares_its_time_and_stays_in_its_word() -> None:
    segment = DsSegment(
        ("SP", "q", "iang"), ph_dur=(0.1, 0.2, 1.0), ph_num=(2, 1), ph_spk_mix={"a": (1.0, 2.0, 3.0), "b": 1.0}
    )
    got = with_phones(segment, [("SP",), ("ja/ch",), ("en/y", "en/aa", "en/ng")])
    assert got.ph_seq == ("SP", "ja/ch", "en/y", "en/aa", "en/ng")
    assert got.ph_dur == pytest.approx((0.1, 0.2, 0.2, 0.5, 0.3))
    assert got.ph_num == (2, 3)
    assert got.ph_spk_mix == {"a": (1.0, 2.0, 3.0, 3.0, 3.0), "b": 1.0}


def test_what_is_sung_otherwise_is_said_once() -> None:
    segment = DsSegment(("SP", "n", "v"))
    transcript = Transcript((segment, replace(segment, text="again"), DsSegment(("ja/a",))))
    (notice,) = sung_by(transcript, "demo", WITHOUT_MANDARIN).notices
    assert notice == "2 segments are written in opencpop-extension (pinyin); the voice 'demo' sings v as en/iy"


@pytest.mark.parametrize(("phones", "nearest"), [("SP qq", "zh/q"), ("hh ahh", "en/ah"), ("k a bogusphone", "")])
def test_an_unknown_phoneme_is_told_with_its_neighbours(phones: str, nearest: str) -> None:
    known = PHONES | {"zh/q"}
    with pytest.raises(BadInput) as caught:
        sung_by(Transcript((DsSegment(("SP",)), DsSegment(tuple(phones.split())))), "demo", known)
    assert caught.value.where == f"[1].ph_seq[{len(phones.split()) - 1}]"
    assert nearest in caught.value.what
    assert "--voice" in caught.value.remedy
