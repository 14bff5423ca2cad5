"""What installed packages add to the built-in formats, cutters, operators and interpolations.

Steps are the workers' (`quincunx.steps`); the kinds here are known by name to whoever edits or reads a song. A table
is loaded when something in it is first needed, because loading it imports other people's code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from quincunx_orchestrator.score.formats import ScoreFormat
from quincunx_orchestrator.score.phrasing import CUTTERS, Cutter
from quincunx_orchestrator.score.readers import SCORE_FORMATS, TRANSCRIPT_SUFFIX
from quincunx_shared.curve import INTERPOLATIONS, Interpolation
from quincunx_shared.errors import BadInput
from quincunx_shared.hints import did_you_mean
from quincunx_shared.intervention import Operator
from quincunx_shared.isolation import TRUSTING, Isolation
from quincunx_shared.plugins import Plugins, load_plugins

Thing = TypeVar("Thing")

#: Entry-point groups.
FORMATS = "quincunx.score_formats"
CUTTING = "quincunx.phrase_cutters"
OPERATORS = "quincunx.operators"
WAYS = "quincunx.interpolations"


def score_formats(isolation: Isolation = TRUSTING) -> Plugins[ScoreFormat]:
    """Song formats by suffix; the entry point's name is the suffix without its dot."""
    return load_plugins(FORMATS, SCORE_FORMATS, _must_be(ScoreFormat), lambda name: f".{name.lower()}", isolation)


def phrase_cutters(isolation: Isolation = TRUSTING) -> Plugins[Cutter]:
    """Ways to cut a part into phrases, by name."""
    return load_plugins(CUTTING, CUTTERS, _must_be_callable, isolation=isolation)


def operators(isolation: Isolation = TRUSTING) -> Plugins[Operator]:
    """Custom operators of interventions, by name."""
    return load_plugins(OPERATORS, {}, _must_be(Operator), isolation=isolation)


def interpolations(isolation: Isolation = TRUSTING) -> Plugins[Interpolation]:
    """Ways between the points of a curve, by name."""
    return load_plugins(WAYS, INTERPOLATIONS, _must_be_callable, isolation=isolation)


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


def _must_be(kind: type) -> Callable[[object], str]:
    return lambda thing: "" if isinstance(thing, kind) else f"is not a {kind.__name__} but {type(thing).__name__}"


def _must_be_callable(thing: object) -> str:
    return "" if callable(thing) else f"is not a function but {type(thing).__name__}"
