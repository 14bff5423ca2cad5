"""Which song formats there are, and how a file becomes a score."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath

from quincunx_orchestrator.score.formats import SIZE_LIMIT, ScoreFormat
from quincunx_orchestrator.score.model import Score
from quincunx_orchestrator.score.ustx import USTX
from quincunx_shared.errors import BadScore

#: By suffix, in lower case. A new format is a module of its own and a row here.
SCORE_FORMATS: Mapping[str, ScoreFormat] = {".ustx": USTX}


def read_score(name: str, raw: bytes, formats: Mapping[str, ScoreFormat] = SCORE_FORMATS) -> Score:
    """Return the song of a file, whose format its suffix names. Raises `BadScore`."""
    suffix = PurePath(name).suffix.lower()
    if suffix not in formats:
        what = f"{suffix!r} is no song format we read" if suffix else "the name does not say which format this is"
        raise BadScore(what, where=name, remedy=f"known: {', '.join(sorted(formats))}")
    if len(raw) > SIZE_LIMIT:
        what = f"{len(raw) / 1e6:.0f} MB are too large for a song; at most {SIZE_LIMIT / 1e6:.0f} MB are read"
        raise BadScore(what, where=name)
    return formats[suffix].read(raw, name)
