"""What installed packages add to the built-in formats, cutters, operators and interpolations.

Steps are the workers' (`quincunx.steps`); the kinds here are known by name to whoever edits or reads a song. A table
is loaded when something in it is first needed, because loading it imports other people's code.
"""

from __future__ import annotations

from collections.abc import Mapping

from quincunx_orchestrator.score.formats import ScoreFormat
from quincunx_orchestrator.score.phrasing import CUTTERS, Cutter
from quincunx_orchestrator.score.readers import SCORE_FORMATS, TRANSCRIPT_SUFFIX
from quincunx_shared.errors import BadInput
from quincunx_shared.hints import did_you_mean
from quincunx_shared.installed_operators import interpolations, must_be, must_be_callable, operators
from quincunx_shared.isolation import TRUSTING, Isolation
from quincunx_shared.plugins import Plugins, load_plugins

__all__ = ["cutter_named", "format_table", "interpolations", "operators", "phrase_cutters", "score_formats"]

#: Entry-point groups.
FORMATS = "quincunx.score_formats"
CUTTING = "quincunx.phrase_cutters"


def score_formats(isolation: Isolation = TRUSTING) -> Plugins[ScoreFormat]:
    """Song formats by suffix; the entry point's name is the suffix without its dot."""
    return load_plugins(FORMATS, SCORE_FORMATS, must_be(ScoreFormat), lambda name: f".{name.lower()}", isolation)


def phrase_cutters(isolation: Isolation = TRUSTING) -> Plugins[Cutter]:
    """Ways to cut a part into phrases, by name."""
    return load_plugins(CUTTING, CUTTERS, must_be_callable, isolation=isolation)


def format_table(suffix: str, isolation: Isolation = TRUSTING) -> Mapping[str, ScoreFormat]:
    """Return a table that holds the format of this suffix, if there is one."""
    return SCORE_FORMATS if suffix.lower() in {*SCORE_FORMATS, TRANSCRIPT_SUFFIX} else score_formats(isolation).found


def cutter_named(name: str, isolation: Isolation = TRUSTING) -> Cutter:
    """Return a cutter, or name the nearest one there is."""
    if name in CUTTERS:
        return CUTTERS[name]
    cutters = phrase_cutters(isolation).found
    if name not in cutters:
        hint = did_you_mean(name, cutters)
        raise BadInput(f"there is no phrase cutter {name!r}{hint}", remedy=f"known: {', '.join(sorted(cutters))}")
    return cutters[name]
