"""The vectors of options.json: options assigned to many steps, options resolved, and manifests as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError
from tests.conformance import vectors
from tests.conformance.vectors import named

from quincunx_orchestrator.core.graph import Graph
from quincunx_orchestrator.core.options import Selector, assign_options, everything, that_declare
from quincunx_shared.errors import BadOption
from quincunx_shared.manifest import Manifest

VECTORS = vectors.load("options")
STEPS = VECTORS["steps"]


@pytest.mark.parametrize("vector", named(VECTORS, "assigned"))
def test_these_steps_get_the_options(vector: Any) -> None:
    before = vectors.graph(vector["graph"], STEPS)
    after = assign_options(before, selector(vector["selector"]), vector["options"])

    assert dict(options_of(after)) == vector["expect"]
    assert list(after.nodes) == list(before.nodes)
    assert after.edges == before.edges
    assert before == vectors.graph(vector["graph"], STEPS)


def selector(told: Any) -> Selector:
    match told:
        case "all":
            return everything
        case {"step": name}:
            return str(name)
        case {"id": name}:
            return lambda node: node.id == name
        case {"sets": name}:
            return lambda node: name in node.options
        case _:
            return that_declare(told["declares"], vectors.manifests(STEPS))


def options_of(graph: Graph, path: str = "") -> Iterator[tuple[str, Any]]:
    for node in graph.nodes.values():
        if node.nested is None:
            yield f"{path}{node.id}", node.options
        else:
            yield from options_of(node.nested.graph, f"{path}{node.id}/")


@pytest.mark.parametrize("vector", named(VECTORS, "resolved"))
def test_options_are_checked_and_filled_in(vector: Any) -> None:
    manifest = vectors.manifest("s", {"outputs": ["out"], "options": vector["options"]})
    if "told" not in vector:
        options = manifest.resolve_options(vector["given"])
        assert options == vector["expect"]
        assert [type(one) for one in options.values()] == [type(one) for one in vector["expect"].values()]
        return

    faults = manifest.option_faults(vector["given"], where="n")
    for fault, words in zip(faults, vector["told"], strict=True):
        assert all(word in str(fault) for word in ["n", *words]), fault
    with pytest.raises(BadOption) as first:
        manifest.resolve_options(vector["given"], where="n")
    assert str(first.value) == str(faults[0])


@pytest.mark.parametrize("vector", named(VECTORS, "manifests"))
def test_a_manifest_goes_out_as_json_and_comes_back(vector: Any) -> None:
    manifest = Manifest.model_validate_json(json.dumps(vector["manifest"]))

    assert json.loads(manifest.model_dump_json()) == vector["manifest"]
    assert Manifest.model_validate_json(manifest.model_dump_json()) == manifest
    assert list(manifest.models) == vector["models"]
    assert manifest.cacheable == vector["cacheable"]


@pytest.mark.parametrize("vector", named(VECTORS, "refused"))
def test_a_manifest_that_contradicts_itself_is_refused(vector: Any) -> None:
    with pytest.raises(ValidationError):
        Manifest.model_validate_json(json.dumps(vector["manifest"]))
