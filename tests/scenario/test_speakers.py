"""Who of a bank of several speakers sings: `bank:speaker`, or a voice colour; never silently the first."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.tiny_bank import Files, write_bank
from tests.unit.tiny_song import note, part, read

from quincunx_orchestrator.song.voices import Catalogue, cast, find_voices
from quincunx_shared.errors import BadInput

SEVERAL: Files = {
    "dsconfig.yaml": "acoustic: acoustic.onnx\nmel_base: e\nspeakers: [emb/anna, emb/ben]\nhidden_size: 2\n",
    "emb/anna.emb": b"\0" * 8,
    "emb/ben.emb": b"\0\0\x80\x3f" * 2,
    "character.yaml": "subbanks:\n- {color: dark, suffix: emb/ben}\n",
}


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    write_bank(tmp_path / "choir", SEVERAL)
    write_bank(tmp_path / "solo")
    return find_voices([tmp_path])


@pytest.mark.parametrize(
    ("name", "speaker"),
    [("choir", "emb/anna"), ("choir:anna", "emb/anna"), ("choir:ben", "emb/ben"), ("choir:dark", "emb/ben")],
)
def test_a_speaker_is_chosen_by_name_or_by_colour(catalogue: Catalogue, name: str, speaker: str) -> None:
    assert catalogue.load(name).speaker == speaker
    score = read(part([note()]), tracks=[{"singer": f"Singers\\{name}", "track_name": "Lead"}])
    assert cast(score, catalogue, strict=True).voices[0].speaker == speaker


def test_an_unknown_speaker_is_told_with_those_there_are(catalogue: Catalogue) -> None:
    with pytest.raises(BadInput, match="no speaker 'bem'; did you mean 'ben'") as told:
        catalogue.load("choir:bem")
    assert "choir:anna, choir:ben" in str(told.value)
    with pytest.raises(BadInput, match="has one speaker"):
        catalogue.load("solo:anna")
    with pytest.raises(BadInput, match="no voice 'chior:anna' is installed"):
        catalogue.load("chior:anna")


def test_a_bank_of_several_says_who_sings_when_nobody_chose(catalogue: Catalogue) -> None:
    def notices(name: str) -> tuple[str, ...]:
        return cast(read(part([note()])), catalogue, voice=name).notices

    assert any("'anna' sings; choose with choir:anna, choir:ben" in told for told in notices("choir"))
    assert not any("speakers" in told for name in ("choir:ben", "solo") for told in notices(name))
