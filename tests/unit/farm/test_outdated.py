"""What was signed for workers that are gone for good is told apart from what only waits for them."""

from __future__ import annotations

import pytest

from quincunx_orchestrator.farm.outdated import outdated
from quincunx_shared.canonical import digest_of
from quincunx_shared.farm.nodes import Node, SeenNode
from quincunx_shared.farm.queues import queues_of
from quincunx_shared.names import SegmentId, Signature
from quincunx_shared.recipe import Bundle, RecipeStep, Task


def bundle(version: str, numeric: str, cluster: str = "gpu") -> Bundle:
    step = RecipeStep("a", "acoustic", {}, (), ("mel",), version, numeric)
    return Bundle(SegmentId("s"), "r", 0, cluster, (Task(step, Signature(digest_of("a")), (), "new"),))


def worker(version: str, numeric: str, *, silent: float = 0.0, device: str = "gpu") -> SeenNode:
    steps = {"acoustic": version} if version else {}
    return SeenNode(Node("w", "worker", "h", 1, "0", device, queues_of([device]), 1, numeric, steps), silent)


NEW = worker("1.10", "cuda 1.22")


@pytest.mark.parametrize(
    ("signed", "nodes", "recent"),
    [
        (bundle("1.10", "cuda 1.22"), [NEW], {}),
        (bundle("", ""), [NEW], {}),
        (bundle("1.11", "cuda 1.22"), [NEW], {}),  # workers are upgraded later
        (bundle("1.9", "cuda 1.22"), [NEW, worker("1.9", "cuda 1.22")], {}),
        (bundle("1.9", "cuda 1.22"), [NEW, worker("1.9", "cuda 1.22", silent=7200.0)], {}),
        (bundle("1.9", "cuda 1.21"), [], {}),
        (bundle("1.9", "cuda 1.21"), [worker("", "cuda 1.21")], {}),  # a plug-in may be installed yet
        (bundle("1.9", "cuda 1.21"), [worker("2", "x86", device="cpu")], {}),  # nobody of its device was ever there
        (bundle("1.10", "cuda 1.21"), [NEW], {"gpu": {"cuda 1.21"}}),  # they have just left
    ],
)
def test_it_may_still_be_taken(signed: Bundle, nodes: list[SeenNode], recent: dict[str, set[str]]) -> None:
    assert outdated(signed, nodes, recent) == ""


@pytest.mark.parametrize(
    ("signed", "nodes", "recent", "why"),
    [
        (bundle("1.9", "cuda 1.22"), [NEW], {}, "acoustic was signed in version 1.9; workers have 1.10"),
        (
            bundle("1.10", "cuda 1.21"),
            [NEW],
            {"gpu": {"cuda 1.22"}},
            "compute as cuda 1.21; those here do as cuda 1.22",
        ),
        (bundle("1.10", "x86", "default"), [worker("1.10", "arm", device="cpu")], {}, "compute as x86"),
    ],
)
def test_nobody_will_ever_take_it(signed: Bundle, nodes: list[SeenNode], recent: dict[str, set[str]], why: str) -> None:
    assert why in outdated(signed, nodes, recent)
