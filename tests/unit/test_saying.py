"""The log of a project says operations as they are typed."""

from __future__ import annotations

import pytest

from quincunx_orchestrator.project.grammar import request_of
from quincunx_orchestrator.project.saying import said


@pytest.mark.parametrize(
    "typed",
    [
        "lyric 1:2:1 night",
        "lyric 1:2:1 'two words'",
        "insert 1:8:1 480 C4 la",
        "tempo 5:1 96.5",
        "curve Lead pitd 0=0 240=-40.5 480=0",
        "mute 2 on",
        "pan 2 -30",
        "option 1:2 pitch.drift_cents 3.5",
        "add-node 1:2 louder gain db=3 way=fast",
        "add-edge 1:2 louder.audio post.audio",
        "bypass 1:3 post audio=audio",
        "override 1:2 pitch.f0 440 acoustic.f0",
        "offset 1:2 pitch.f0 linear:0=0,200=15",
        "offset 1:2 pitch.f0 drawn.npy",
        "mask 1:2 pitch.f0 hold:0=1,10=0 '[440, 441.5]'",
        """input 1:2 phonemize.lyrics '{"a": 1}'""",
    ],
)
def test_what_was_typed_is_said_and_what_is_said_can_be_typed(typed: str) -> None:
    assert said(request_of(typed, 1)) == typed


def test_of_many_points_the_rest_is_counted() -> None:
    points = " ".join(f"{tick}=1" for tick in range(300))
    line = said(request_of(f"curve Lead dyn {points}", 1))
    assert line == "curve Lead dyn 0=1 1=1 2=1 3=1 4=1 5=1 6=1 7=1 …292 more"
    assert len(said(request_of(f"lyric 1:2:1 {'a' * 3000}", 1))) < 200
