"""`--voice-for TRACK=VOICE`: tracks are found by number or name, and what is unclear is refused with what there is."""

from __future__ import annotations

import pytest

from quincunx_orchestrator.score.model import Track
from quincunx_orchestrator.song.voice_choice import voices_by_track
from quincunx_shared.errors import BadInput

TRACKS = (Track("Lead"), Track("Harmony"), Track("Chœur = tous"))


@pytest.mark.parametrize(
    ("choices", "chosen"),
    [
        ((), {}),
        (("1=low",), {0: "low"}),
        (("harmony=low",), {1: "low"}),
        ((" Harmony = low ",), {1: "low"}),
        (("Lead=a", "2=b", "3=c"), {0: "a", 1: "b", 2: "c"}),
        (("2=/banks/a=b",), {1: "/banks/a=b"}),
        (("2=low", "Harmony=low"), {1: "low"}),
    ],
)
def test_a_track_is_chosen_by_number_or_name(choices: tuple[str, ...], chosen: dict[int, str]) -> None:
    assert voices_by_track(TRACKS, choices) == chosen


def test_a_name_is_the_same_however_its_accents_are_written() -> None:
    assert voices_by_track([Track("E\u0301tude")], ["\u00c9TUDE=low"]) == {0: "low"}


@pytest.mark.parametrize("choice", ["Harmony", "=low", "2=", "", "=", "²=low"])
def test_what_is_no_choice_is_refused(choice: str) -> None:
    with pytest.raises(BadInput) as refused:
        voices_by_track(TRACKS, [choice])
    assert refused.value.where == f"--voice-for {choice}"


@pytest.mark.parametrize("track", ["0", "4", "-1", "999999999999", "Bass"])
def test_an_unknown_track_is_refused_with_those_there_are(track: str) -> None:
    with pytest.raises(BadInput) as refused:
        voices_by_track(TRACKS, [f"{track}=low"])
    assert f"there is no track {track!r}" in str(refused.value)
    assert "1: Lead; 2: Harmony; 3: Chœur = tous" in str(refused.value)


def test_a_name_that_two_tracks_bear_is_refused() -> None:
    with pytest.raises(BadInput, match="is track 1 and 3"):
        voices_by_track([Track("Vocal"), Track("Bass"), Track("vocal")], ["Vocal=low"])


def test_a_number_that_is_another_track_s_name_is_refused() -> None:
    with pytest.raises(BadInput, match="is track 1 and 2"):
        voices_by_track([Track("2"), Track("Bass")], ["2=low"])


def test_two_voices_for_one_track_are_refused() -> None:
    with pytest.raises(BadInput, match="track 2 already has the voice 'low'"):
        voices_by_track(TRACKS, ["2=low", "Harmony=high"])
