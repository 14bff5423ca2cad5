"""Praat's TextGrid, long text format, UTF-8: tiers of phrases, notes and phones.

In a tier every moment belongs to exactly one interval, so gaps are intervals without a text, and what would begin
before its neighbour ends begins there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from quincunx_orchestrator.song.port_values import Spoken

#: Intervals that are shorter than this are rounding.
SHORTEST = 1e-9


def write_textgrid(tiers: Mapping[str, Sequence[Spoken]], seconds: float) -> bytes:
    """Return the file: every tier from 0 to `seconds`. What lies outside is cut off."""
    lines = [
        'File type = "ooTextFile"',
        'Object class = "TextGrid"',
        "",
        "xmin = 0 ",
        f"xmax = {_number(seconds)} ",
        "tiers? <exists> ",
        f"size = {len(tiers)} ",
        "item []: ",
    ]
    for number, (name, spoken) in enumerate(tiers.items(), 1):
        lines += _tier(number, name, [*_whole(spoken, seconds)], seconds)
    return ("\n".join(lines) + "\n").encode()


def _tier(number: int, name: str, intervals: Sequence[Spoken], seconds: float) -> Iterator[str]:
    yield f"    item [{number}]:"
    yield '        class = "IntervalTier" '
    yield f"        name = {_text(name)} "
    yield "        xmin = 0 "
    yield f"        xmax = {_number(seconds)} "
    yield f"        intervals: size = {len(intervals)} "
    for place, one in enumerate(intervals, 1):
        yield f"        intervals [{place}]:"
        yield f"            xmin = {_number(one.start)} "
        yield f"            xmax = {_number(one.end)} "
        yield f"            text = {_text(one.text)} "


def _whole(spoken: Sequence[Spoken], seconds: float) -> Iterator[Spoken]:
    """Yield intervals that follow each other without gap from 0 to the end."""
    now = 0.0
    for one in sorted(spoken, key=lambda one: (one.start, one.end)):
        start, end = max(one.start, now), min(one.end, seconds)
        if end - start < SHORTEST:
            continue
        if start - now >= SHORTEST:
            yield Spoken(now, start, "")
        else:
            start = now
        yield Spoken(start, end, one.text)
        now = end
    if seconds - now >= SHORTEST or now == 0.0:
        yield Spoken(now, seconds, "")


def _text(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _number(value: float) -> str:
    return repr(float(value)).removesuffix(".0")
