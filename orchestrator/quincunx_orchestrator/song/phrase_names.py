"""Names of phrases by their music: the same notes have the same name, whoever sings them and however."""

from __future__ import annotations

from collections.abc import Sequence

from quincunx_orchestrator.score.phrasing import Phrase
from quincunx_orchestrator.song.phrase_graph import CURVE_PORTS
from quincunx_shared.canonical import Json, digest_of
from quincunx_shared.names import SegmentId


def names_of(phrases: Sequence[Phrase]) -> tuple[SegmentId, ...]:
    """Return the name of every phrase: its track, and a digest of what is sung; repetitions are counted (`.2`).

    Voice, seed and effort are not in it: an edit that hangs on the name stays when another voice sings.
    """
    count: dict[str, int] = {}
    names = []
    for phrase in phrases:
        name = f"t{phrase.track + 1}-{digest_of(_music(phrase))[:8]}"
        count[name] = count.get(name, 0) + 1
        names.append(SegmentId(f"{name}.{count[name]}" if count[name] > 1 else name))
    return tuple(names)


def _music(phrase: Phrase) -> Json:
    curves = {name: curve.to_payload() for name, curve in phrase.curves.items() if name in CURVE_PORTS}
    return [phrase.lyrics.to_payload(), phrase.timing.to_payload(), phrase.melody.to_payload(), {**curves}]
