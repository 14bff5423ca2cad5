"""The vectors of outputs.json: how what a step returns becomes its outputs, and what these are called."""

from __future__ import annotations

from typing import Any

import pytest
from tests.conformance import vectors
from tests.conformance.running import Workplace, shown
from tests.conformance.vectors import named

from quincunx_shared.errors import WrongOutputs
from quincunx_workers.core import arrange_outputs

VECTORS = vectors.load("outputs")


@pytest.mark.parametrize("vector", named(VECTORS, "arranged"))
def test_what_a_step_returns_becomes_its_outputs(vector: Any) -> None:
    returned = vectors.returned(vector["returned"])
    if "told" in vector:
        with pytest.raises(WrongOutputs) as refused:
            arrange_outputs(returned, vector["names"], where="s/p")
        assert all(word in str(refused.value) for word in ["s/p", *vector["told"]])
        return

    outputs = arrange_outputs(returned, vector["names"])
    assert [shown(one) for one in outputs] == [shown(vectors.payload(one)) for one in vector["outputs"]]


@pytest.mark.parametrize("vector", named(VECTORS, "rendered"))
def test_outputs_have_the_names_of_the_recipe(vector: Any) -> None:
    segment = vectors.segment(vector, VECTORS["steps"])
    place = Workplace(VECTORS["steps"], [segment])
    rendered = place.render(place.bind([segment]), [vectors.address(one) for one in vector["targets"]])

    assert rendered.values == vector["values"]
    assert rendered.failed.keys() == vector.get("failed", {}).keys()
    for node, words in vector.get("failed", {}).items():
        assert all(word in rendered.failed[node] for word in words), rendered.failed[node]
    saw = {step: inputs for step, inputs, _ in place.saw}
    assert all(saw[step] == inputs for step, inputs in vector.get("saw", {}).items())
