"""A manifest as a person reads it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from quincunx_shared.manifest import Input, Manifest, Option


def manifest_lines(manifest: Manifest) -> Iterator[str]:
    """Yield what a step is for, what it reads and gives, and what can be set."""
    origin = f", from {manifest.origin}" if manifest.origin else ""
    yield f"{manifest.name}, version {manifest.version}, for {manifest.device}{origin}"
    if manifest.summary:
        yield f"  {manifest.summary}"
    inputs = [(one.name, one.type, _told_input(one)) for one in manifest.inputs]
    outputs = [(one.name, one.type, one.summary) for one in manifest.outputs]
    options = [(one.name, one.type, _told_option(one)) for one in manifest.options]
    for title, rows in (("reads", inputs), ("gives", outputs), ("options", options)):
        yield from _table(title, rows)


def _table(title: str, rows: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    if not rows:
        return
    yield f"  {title}"
    wide, typed = (max(len(row[place]) for row in rows) for place in (0, 1))
    for name, kind, told in rows:
        yield f"    {name:{wide}}  {kind:{typed}}  {told}".rstrip()


def _told_input(port: Input) -> str:
    marks = [mark for mark, holds in (("optional", not port.required), ("several", port.multi)) if holds]
    return " ".join([f"({', '.join(marks)})"] * bool(marks) + [port.summary] * bool(port.summary))


def _told_option(option: Option) -> str:
    default = "" if option.default is None or option.default == "" else f"default {_value(option.default)}"
    parts = [part for part in (default, _limits(option)) if part]
    return " ".join([f"({', '.join(parts)})"] * bool(parts) + [option.summary] * bool(option.summary))


def _limits(option: Option) -> str:
    if option.choices:
        return " or ".join(option.choices)
    low = -math.inf if option.minimum is None else option.minimum
    high = math.inf if option.maximum is None else option.maximum
    if math.isinf(low) and math.isinf(high):
        return ""
    if math.isinf(high):
        return f"from {_value(low)}"
    return f"up to {_value(high)}" if math.isinf(low) else f"{_value(low)} to {_value(high)}"


def _value(value: object) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)
