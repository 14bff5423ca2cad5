"""The vectors of compile.json: colours, levels, recipes and stages; shared compilations; and everything refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.conformance import vectors
from tests.conformance.running import Workplace
from tests.conformance.vectors import named

from quincunx_orchestrator.core.compiler import Compiler
from quincunx_shared.errors import CompileError, CyclicGraph, InvalidGraph, MissingInputs, QuincunxError, SeveralFaults
from quincunx_shared.names import SegmentId
from quincunx_shared.recipe import Recipe

VECTORS = vectors.load("compile")


@pytest.mark.parametrize("vector", named(VECTORS, "recipes"))
def test_a_topology_becomes_these_recipes(vector: Any) -> None:
    segment = vectors.segment(vector)
    compiled = Compiler(vectors.manifests({}, segment.graph)).compile(segment)

    assert {name: step.cluster for name, step in compiled.steps.items()} == vector["painted"]
    assert [told(recipe) for recipe in compiled.recipes] == vector["recipes"]
    assert [list(stage) for stage in compiled.stages] == vector["stages"]
    assert any("@" in recipe.name for recipe in compiled.recipes) == vector["split"]


def told(recipe: Recipe) -> Any:
    steps = [step.id for step in recipe.steps]
    requires, exports = [[str(key) for key in keys] for keys in (recipe.requires, recipe.exports)]
    return {"name": recipe.name, "steps": steps, "requires": requires, "exports": exports}


@pytest.mark.parametrize("vector", named(VECTORS, "shared"))
def test_segments_share_compilations(vector: Any) -> None:
    segments = [vectors.segment(one) for one in vector["segments"]]
    compiler = Compiler(vectors.manifests({}, *(segment.effective.graph for segment in segments)))
    results = compiler.compile_all(segments)

    assert compiler.compilations == vector["compilations"]
    for place, result in enumerate(results):
        error = type(result).__name__ if isinstance(result, CompileError) else None
        assert error == vector.get("errors", {}).get(str(place))
        shared = [other for other, one in enumerate(results) if one is result]
        assert shared == next((group for group in vector["same"] if place in group), [place])


@pytest.mark.parametrize("vector", named(VECTORS, "shared"))
def test_a_bad_segment_does_not_spoil_the_others_when_they_are_bound(vector: Any) -> None:
    segments = [replace(vectors.segment(one), id=SegmentId(str(at))) for at, one in enumerate(vector["segments"])]
    song = Workplace({}, segments).bind(segments)
    assert {name: type(error).__name__ for name, error in song.errors().items()} == vector.get("errors", {})


@pytest.mark.parametrize("vector", named(VECTORS, "faults"))
def test_everything_wrong_is_told_in_this_order(vector: Any) -> None:
    segment = vectors.segment(vector, VECTORS["steps"])
    error = Workplace(VECTORS["steps"], [segment]).bind([segment]).errors().get(segment.id)
    assert [fault(one) for one in all_of(error)] == vector["faults"]


def all_of(error: QuincunxError | None) -> tuple[QuincunxError, ...]:
    if isinstance(error, SeveralFaults):
        return error.faults
    return (error,) if error else ()


def fault(error: QuincunxError) -> Any:
    if isinstance(error, InvalidGraph):
        return {"error": "InvalidGraph", "problems": len(error.problems)}
    if isinstance(error, MissingInputs):
        return {"error": "MissingInputs", "ports": {node: list(ports) for node, ports in error.ports.items()}}
    assert isinstance(error, CyclicGraph)
    return {"error": "CyclicGraph", "nodes": list(error.nodes)}
