"""What an author of a step writes, and what the worker hands to it.

    STEP = Step(
        Manifest(name="gain", version="1", inputs=(Input(name="audio", type="audio"),), ...),
        run,
    )

    def run(inputs, options, context):
        return inputs["audio"] * 10 ** (options["db"] / 20)

and in the author's own pyproject.toml

    [project.entry-points."quincunx.steps"]
    gain = "my_package.gain:STEP"
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from quincunx_shared.manifest import Manifest
from quincunx_shared.names import Digest
from quincunx_shared.payload import Payload

#: The entry-point group in which installed packages offer their steps.
ENTRY_POINT_GROUP = "quincunx.steps"

Run: TypeAlias = Callable[[Mapping[str, Any], Mapping[str, Any], "StepContext"], Payload]


class Model(Protocol):
    """A model that is resident and can be run; see `workers` for what stands behind it."""

    @property
    def inputs(self) -> Mapping[str, tuple[str, tuple[int | None, ...]]]:
        """Name → (dtype, shape) of every input a step feeds; a symbolic dimension is None."""

    @property
    def noises(self) -> tuple[str, ...]:
        """Random nodes of the file that became inputs: `run` fills them from the seed."""

    @property
    def unseeded(self) -> tuple[str, ...]:
        """Random nodes that no seed reaches, because they stand in a branch or a loop.

        A step must choose its feeds so that none of them runs, or refuse the model.
        """

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs, in order."""

    @property
    def metadata(self) -> Mapping[str, str]:
        """What the file says of itself beside its graph; free text, from whoever made it."""

    def run(self, feeds: Mapping[str, Any], *, seed: int = 0) -> tuple[Any, ...]:
        """Run once; outputs in order. Equal feeds and seed give equal bits within a numeric class."""


class StepContext(Protocol):
    """What a worker lends to a running step. None of it is serialised or part of a signature."""

    def report(self, percent: float, text: str = "") -> None:
        """Tell how far the step is. Costs nothing when nobody listens."""

    def model(self, digest: Digest) -> Model:
        """Return the resident model with this digest."""

    def file(self, digest: Digest) -> bytes:
        """Return the content of a voicebank file (a dictionary, an embedding) with this digest."""


@dataclass(frozen=True, slots=True)
class Step:
    """A manifest and the function that keeps its promise.

    `run(inputs, options, context)` gets every declared input and option by name. It returns a bare value for
    one output; for several, a sequence by position or a mapping by name.
    """

    manifest: Manifest
    run: Run
