"""The two names of a computation. One rule: equal signatures ⇒ equal outputs.

    recipe signature   stamp + the recipe signatures of what feeds the step: known before anything runs
    call signature     stamp + the content of the real inputs: known when the inputs are

The pre-image is canonical JSON: `[tag, stamp, [[port, [source, …]], …]]` with the inputs by position. In it: step,
version, the options the manifest admits, digests of model files (they are options), the numeric class of numeric
steps, and every intervention that reaches the step. Not in it: ids, names of outputs, priorities, positions in the
song.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from quincunx_shared.canonical import Json, canonical_bytes
from quincunx_shared.intervention import Intervention
from quincunx_shared.manifest import Manifest
from quincunx_shared.names import Signature
from quincunx_shared.payload import ParamRef

#: Changes when the form of pre-images does, so that old caches are simply not found.
SCHEME = 1


def stamp_of(manifest: Manifest, options: Mapping[str, Any], numeric_class: str) -> bytes:
    """Return what is the same for every use of a step with these options, as canonical text.

    A step from another package carries its distribution's name: it must never be recalled for ours, or ours for it.

    The numeric class (provider, runtime version, precision, processor family) enters for numeric steps only.
    """
    named = {option.name for option in manifest.options if option.in_signature}
    chosen = {name: value for name, value in options.items() if name in named}
    name = f"{manifest.origin}/{manifest.name}" if manifest.origin else manifest.name
    return canonical_bytes([SCHEME, name, manifest.version, chosen, numeric_class if manifest.numeric else None])


def recipe_signature(stamp: bytes, inputs: Iterable[tuple[str, Sequence[Json]]]) -> Signature:
    """Return the deep name: `inputs` are (port, sources) with sources made by `from_step` and `from_value`."""
    return _signature(b'["recipe",', stamp, inputs)


def call_signature(stamp: bytes, inputs: Iterable[tuple[str, Sequence[ParamRef]]]) -> Signature:
    """Return the shallow name: `inputs` are (port, contents) as the step will really see them."""
    contents = [(port, [ref.identity() for ref in refs]) for port, refs in inputs]
    return _signature(b'["call",', stamp, contents)


def from_step(signature: Signature, position: int, interventions: Sequence[Intervention]) -> Json:
    """A source that is another step's output, by position, with what is laid on it."""
    return ["step", signature, position, [one.identity() for one in interventions]]


def from_value(value: ParamRef, interventions: Sequence[Intervention]) -> Json:
    """A source that is a payload from outside, with what is laid on it."""
    return ["value", value.identity(), [one.identity() for one in interventions]]


def _signature(tag: bytes, stamp: bytes, inputs: Iterable[tuple[str, Sequence[Json]]]) -> Signature:
    body = canonical_bytes([[port, list(sources)] for port, sources in inputs])
    return Signature(hashlib.sha256(tag + stamp + b"," + body + b"]").hexdigest())
