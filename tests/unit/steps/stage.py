"""A context for one step, and its inputs and options with all defaults, as a worker would hand them over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from quincunx_shared.errors import BlobMissing
from quincunx_shared.names import Digest
from quincunx_shared.step import Model, Step


@dataclass(frozen=True)
class Stage:
    """The models and files a step may ask for."""

    models: Mapping[str, Model] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)

    def report(self, percent: float, text: str = "") -> None:
        """Nobody listens."""

    def model(self, digest: Digest) -> Model:
        return self.models[digest]

    def file(self, digest: Digest) -> bytes:
        if digest not in self.files:
            raise BlobMissing(digest)
        return self.files[digest]


def perform(step: Step, inputs: Mapping[str, Any], stage: Stage | None = None, **options: Any) -> Any:
    """Run a step on inputs, the rest at their defaults."""
    defaults = {one.name: one.default for one in step.manifest.inputs if not one.required}
    return step.run({**defaults, **inputs}, step.manifest.resolve_options(options), stage or Stage())
