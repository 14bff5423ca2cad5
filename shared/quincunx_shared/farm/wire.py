"""Values of the vocabulary as JSON and back, exactly.

What crosses the wire is data of a declared shape, never code. Whoever reads asks for one kind of value, and anything
else is refused (`BadMessage`). Small payloads travel as base64 inside their reference; floats in their shortest form
that reads back the same.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import wraps
from typing import Any, ParamSpec, TypeVar, get_args

from quincunx_shared import events
from quincunx_shared.errors import QuincunxError
from quincunx_shared.intervention import Intervention
from quincunx_shared.names import Address, Digest, PortKey, SegmentId, Signature
from quincunx_shared.outcome import BundleOutcome
from quincunx_shared.payload import ParamRef
from quincunx_shared.recipe import Bundle, Feed, RecipeStep, Source, Task

P = ParamSpec("P")
Value = TypeVar("Value")


class BadMessage(QuincunxError):
    """What came from the wire is not what was expected."""


def _refusing(read: Callable[P, Value]) -> Callable[P, Value]:
    """Say of anything that cannot be read that the message is bad."""

    @wraps(read)
    def reading(*given: P.args, **named: P.kwargs) -> Value:
        try:
            return read(*given, **named)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
            raise BadMessage(f"a message cannot be read: {type(error).__name__}: {error}"[:300]) from error

    return reading


def dump(value: object) -> bytes:
    """JSON in its shortest form."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def bundle_to_json(bundle: Bundle) -> bytes:
    """A bundle for a worker."""
    exports = [[key.node, key.port] for key in bundle.exports]
    tasks = [task_to_wire(task) for task in bundle.tasks]
    return dump([bundle.segment, bundle.recipe, bundle.level, bundle.cluster, exports, tasks])


@_refusing
def bundle_from_json(content: bytes | str) -> Bundle:
    """Read what `bundle_to_json` wrote."""
    segment, recipe, level, cluster, exports, tasks = json.loads(content)
    keys = tuple(PortKey(node, port) for node, port in exports)
    return Bundle(SegmentId(segment), recipe, level, cluster, tuple(map(task_from_wire, tasks)), keys)


def outcome_to_json(outcome: BundleOutcome) -> bytes:
    """What became of a bundle; the bundle itself, which the reader has, is left out."""
    return dump(
        {
            "ran": outcome.ran,
            "recalled": outcome.recalled,
            "failed": outcome.failed,
            "skipped": outcome.skipped,
            "nameless": sorted(outcome.nameless),
            "exports": exports_to_wire(outcome.exports),
            "lost": sorted(outcome.lost),
            "unfed": outcome.unfed,
        }
    )


@_refusing
def outcome_from_json(bundle: Bundle, content: bytes | str) -> BundleOutcome:
    """Read what `outcome_to_json` wrote about this bundle."""
    told = json.loads(content)
    return BundleOutcome(
        bundle,
        list(told["ran"]),
        dict(told["recalled"]),
        dict(told["failed"]),
        dict(told["skipped"]),
        set(told["nameless"]),
        exports_from_wire(told["exports"]),
        {Digest(digest) for digest in told["lost"]},
        bool(told.get("unfed", False)),
    )


def exports_to_wire(exports: Mapping[Address, ParamRef]) -> list[Any]:
    """References by address."""
    return [[one.segment, one.key.node, one.key.port, ref_to_wire(ref)] for one, ref in exports.items()]


def exports_from_wire(told: list[Any]) -> dict[Address, ParamRef]:
    """Read what `exports_to_wire` wrote."""
    return {Address(SegmentId(name), PortKey(node, port)): ref_from_wire(ref) for name, node, port, ref in told}


def event_to_json(event: events.Event) -> bytes:
    """An event with the name of its type. When and by whom it is told, the log knows better."""
    told = {name: value for name, value in asdict(event).items() if name not in ("at", "worker")}
    return dump({"event": type(event).__name__, **told})


_EVENTS: Mapping[str, Callable[..., events.Event]] = {one.__name__: one for one in get_args(events.Event)}


@_refusing
def event_from_json(content: bytes | str) -> events.Event:
    """Read what `event_to_json` wrote."""
    fields = json.loads(content)
    return _EVENTS[fields.pop("event")](**fields)


def task_to_wire(task: Task) -> list[Any]:
    """A task of a bundle."""
    inputs = [[source_to_wire(one) for one in sources] for sources in task.inputs]
    return [recipe_step_to_wire(task.step), task.signature, inputs, task.reason, task.nameless]


def task_from_wire(told: list[Any]) -> Task:
    """Read what `task_to_wire` wrote."""
    step, signature, inputs, reason, nameless = told
    sources = tuple(tuple(map(source_from_wire, one)) for one in inputs)
    return Task(recipe_step_from_wire(step), Signature(signature), sources, reason, nameless)


def recipe_step_to_wire(step: RecipeStep) -> list[Any]:
    """A step of a recipe."""
    feeds = [[one.port, [[k.node, k.port] for k in one.producers], one.multi, one.spares] for one in step.feeds]
    return [step.id, step.step, dict(step.options), feeds, list(step.outputs), step.version, step.numeric_class]


def recipe_step_from_wire(told: list[Any]) -> RecipeStep:
    """Read what `recipe_step_to_wire` wrote. Options that were tuples are lists now; signatures take both alike."""
    name, step, options, feeds, outputs, version, numeric = told
    read = tuple(Feed(port, tuple(PortKey(*key) for key in keys), multi, spares) for port, keys, multi, spares in feeds)
    return RecipeStep(name, step, options, read, tuple(outputs), version, numeric)


def source_to_wire(source: Source) -> list[Any]:
    """Where a value comes from: an address or a reference, and what is laid on it."""
    at = source.address
    address = None if at is None else [at.segment, at.key.node, at.key.port]
    value = None if source.value is None else ref_to_wire(source.value)
    return [address, value, *map(_intervention_to_wire, source.interventions)]


def source_from_wire(told: list[Any]) -> Source:
    """Read what `source_to_wire` wrote."""
    at, value, *laid = told
    return Source(
        None if at is None else Address(SegmentId(at[0]), PortKey(at[1], at[2])),
        None if value is None else ref_from_wire(value),
        tuple(map(_intervention_from_wire, laid)),
    )


def ref_to_wire(ref: ParamRef) -> list[Any]:
    """A reference, with its bytes if it carries them."""
    inline = None if ref.inline is None else b64encode(ref.inline).decode()
    return [ref.digest, ref.kind, ref.size_bytes, list(ref.shape), ref.dtype, inline]


@_refusing
def ref_from_wire(told: list[Any]) -> ParamRef:
    """Read what `ref_to_wire` wrote."""
    digest, kind, size, shape, dtype, inline = told
    content = None if inline is None else b64decode(inline, validate=True)
    return ParamRef(Digest(digest), kind, size, tuple(shape), dtype, content)


def _intervention_to_wire(one: Intervention) -> list[Any]:
    user = None if one.user is None else ref_to_wire(one.user)
    scope = None if one.scope is None else [one.scope.node, one.scope.port]
    target = [one.target.node, one.target.port]
    return [target, one.kind, ref_to_wire(one.operand), user, one.operator, scope, one.drawn_on]


def _intervention_from_wire(told: list[Any]) -> Intervention:
    target, kind, operand, user, operator, scope, drawn_on = told
    return Intervention(
        PortKey(*target),
        kind,
        ref_from_wire(operand),
        None if user is None else ref_from_wire(user),
        operator,
        None if scope is None else PortKey(*scope),
        None if drawn_on is None else Digest(drawn_on),
    )
