"""What other installed packages bring along: steps, song formats, interpolations, phrase cutters, operators.

A package offers a thing under an entry point of its kind's group. Plug-ins are code: one that cannot be imported,
is not what its group wants, or takes a name that is taken is named and left out, and everything else works.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, EntryPoints, entry_points
from types import MappingProxyType
from typing import Generic, TypeVar

from quincunx_shared.isolation import TRUSTING, Isolation

Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Plugins(Generic[Thing]):
    """Things by name, built-in ones among them; where the others come from; and why some were left out.

    `problems` is keyed by `package: name`, so that two packages with one fault are two problems.
    """

    found: Mapping[str, Thing]
    origins: Mapping[str, str]
    problems: Mapping[str, str]


def offers_of(group: str) -> tuple[EntryPoint, ...]:
    """Return what installed packages offer in a group, in an order that does not depend on the installation."""
    return tuple(sorted(_offered().select(group=group), key=lambda one: (one.name, package_of(one), one.value)))


def load_plugins(
    group: str,
    built_in: Mapping[str, Thing],
    check: Callable[[object], str],
    named: Callable[[str], str] = str,
    isolation: Isolation = TRUSTING,
) -> Plugins[Thing]:
    """Load everything offered in a group beside what is built in.

    `check` says what is wrong with an object, or nothing; `named` turns an entry point's name into the thing's.
    Only steps run apart, so what an isolated package offers here is left out rather than trusted.
    """
    found = dict(built_in)
    origins: dict[str, str] = {}
    problems: dict[str, str] = {}
    for offer in offers_of(group):
        name, package = named(offer.name), package_of(offer)
        apart = isolation.covers(package)
        thing, problem = (None, "only steps of an isolated package are used") if apart else loaded(offer, check)
        if not problem and name in found:
            problem = f"the name {name!r} is taken by {origins.get(name, 'Quincunx')}"
        if problem:
            problems[f"{package}: {offer.name}"] = problem
        else:
            found[name], origins[name] = thing, package  # type: ignore[assignment] # `check` has looked at it
    return Plugins(MappingProxyType(found), MappingProxyType(origins), MappingProxyType(problems))


def loaded(offer: EntryPoint, check: Callable[[object], str]) -> tuple[object, str]:
    """Return what an offer holds and what is wrong with it, if anything. Never raises for what a plug-in does."""
    try:
        thing = offer.load()
        problem = check(thing)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a plug-in may fail in any way, sys.exit included; it must not take us along
        return None, f"{offer.value} cannot be imported: {type(error).__name__}: {error}"
    return thing, f"{offer.value} {problem}" if problem else ""


def package_of(offer: EntryPoint) -> str:
    """The name of the distribution that makes an offer."""
    return offer.dist.name if offer.dist else offer.value


@cache
def _offered() -> EntryPoints:
    """Ask once: the answer takes a walk over all installed packages, and none is installed into a running process."""
    everything: EntryPoints = entry_points()  # type: ignore[assignment] # what 3.11 to 3.14 return; the stubs hedge
    return everything
