"""The curves of an OpenUTAU part, and what they are where nothing is drawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from quincunx_orchestrator.score.fields import INT_LIMIT, Fields
from quincunx_orchestrator.score.model import PartCurve


@dataclass(frozen=True, slots=True)
class CurveKind:
    """What is known of a curve: its value where nothing changes the voice, its range, whether we apply it."""

    neutral: float
    low: float
    high: float
    applied: bool = True


#: By abbreviation, in the units of the file: dyn in 0.1 dB, pitd and shfc in cents, the others in percent.
CURVE_KINDS: Mapping[str, CurveKind] = {
    "dyn": CurveKind(0, -240, 120),
    # OpenUTAU draws ±1200; converters write the whole distance from a note to its pitch.
    "pitd": CurveKind(0, -12000, 12000),
    "genc": CurveKind(0, -100, 100),
    "brec": CurveKind(0, -100, 100),
    "tenc": CurveKind(0, -100, 100),
    "voic": CurveKind(100, 0, 100),
    "velc": CurveKind(100, 0, 200),
    "ene": CurveKind(0, -100, 100),
    "shfc": CurveKind(0, -1200, 1200, applied=False),
    "pexp": CurveKind(100, 0, 100, applied=False),
}

#: Curves people define themselves, and cl01 … clNN.
_OTHER = CurveKind(0, -1e6, 1e6, applied=False)


def read_curves(part: Fields, descriptors: Iterable[Mapping[str, Fields]]) -> dict[str, PartCurve]:
    """Return the curves of a part by abbreviation.

    `descriptors` are expressions by abbreviation; earlier ones win. A curve that is not drawn is there, without
    points, if the song gives it a default of its own.
    """
    sources = tuple(descriptors)
    curves: dict[str, PartCurve] = {}
    for fields in part.children("curves"):
        abbreviation = fields.text("abbr")
        if abbreviation in curves:
            raise fields.refuse("abbr", "the only curve of its kind in the part", "keep one of them")
        curves[abbreviation] = _curve(fields, _kind(abbreviation), _default(abbreviation, sources))
    for abbreviation, kind in CURVE_KINDS.items():
        default = _default(abbreviation, sources)
        if abbreviation not in curves and default != kind.neutral:
            curves[abbreviation] = PartCurve((), (), default)
    return curves


def unapplied(curves: Mapping[str, PartCurve]) -> frozenset[str]:
    """Return the curves that would change the voice, did we apply them."""
    return frozenset(
        abbreviation
        for abbreviation, curve in curves.items()
        if not _kind(abbreviation).applied and any(value != _kind(abbreviation).neutral for value in _values(curve))
    )


def _kind(abbreviation: str) -> CurveKind:
    return CURVE_KINDS.get(abbreviation, _OTHER)


def _values(curve: PartCurve) -> tuple[float, ...]:
    return (*curve.values, curve.default)


def _curve(fields: Fields, kind: CurveKind, default: float) -> PartCurve:
    ticks = fields.integers("xs", -INT_LIMIT, INT_LIMIT - 1)
    values = fields.numbers("ys", kind.low, kind.high)
    if len(ticks) != len(values):
        what = f"has {len(ticks)} values, and ys has {len(values)}"
        raise fields.document.refuse((*fields.path, "xs"), what)
    for place in range(1, len(ticks)):
        if ticks[place] <= ticks[place - 1]:
            what = f"must be above {ticks[place - 1]}, the tick before it, not {ticks[place]}"
            raise fields.document.refuse((*fields.path, "xs", place), what)
    return PartCurve(ticks, values, default)


def _default(abbreviation: str, sources: Iterable[Mapping[str, Fields]]) -> float:
    kind = _kind(abbreviation)
    for source in sources:
        for key in ("custom_default_value", "default_value"):
            if abbreviation in source and source[abbreviation].has(key):
                return source[abbreviation].number(key, kind.low, kind.high)
    return kind.neutral
