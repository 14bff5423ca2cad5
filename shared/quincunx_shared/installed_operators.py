"""Operators and interpolations of installed packages: both sides of a farm lay the same things on a port."""

from __future__ import annotations

from collections.abc import Callable

from quincunx_shared.curve import INTERPOLATIONS, Interpolation
from quincunx_shared.intervention import Operator
from quincunx_shared.isolation import TRUSTING, Isolation
from quincunx_shared.plugins import Plugins, load_plugins

#: Entry-point groups.
OPERATORS = "quincunx.operators"
WAYS = "quincunx.interpolations"


def operators(isolation: Isolation = TRUSTING) -> Plugins[Operator]:
    """Custom operators of interventions, by name."""
    return load_plugins(OPERATORS, {}, must_be(Operator), isolation=isolation)


def interpolations(isolation: Isolation = TRUSTING) -> Plugins[Interpolation]:
    """Ways between the points of a curve, by name."""
    return load_plugins(WAYS, INTERPOLATIONS, must_be_callable, isolation=isolation)


def must_be(kind: type) -> Callable[[object], str]:
    """Check that a thing is of a kind."""
    return lambda thing: "" if isinstance(thing, kind) else f"is not a {kind.__name__} but {type(thing).__name__}"


def must_be_callable(thing: object) -> str:
    """Check that a thing is a function."""
    return "" if callable(thing) else f"is not a function but {type(thing).__name__}"
