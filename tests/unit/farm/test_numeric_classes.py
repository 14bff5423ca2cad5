"""Steps are signed for the machines that run them: a farm with GPUs has machines without one, too."""

from __future__ import annotations

from tests.scenario.songs import SONG

from quincunx_orchestrator.core.compiler import Compiler
from quincunx_orchestrator.embedded import installed_steps, manifests_of, this_machine
from quincunx_orchestrator.farm.numeric_classes import numeric_classes_of
from quincunx_orchestrator.score.ustx import read_ustx
from quincunx_orchestrator.song.assembly import assemble
from quincunx_orchestrator.song.voices import cast, find_voices
from quincunx_shared.farm.nodes import Node, SeenNode
from quincunx_shared.farm.queues import queues_of


def worker(name: str, device: str, numeric: str, *serves: str, slots: int = 1) -> SeenNode:
    queues = queues_of(serves or (device,))
    return SeenNode(Node(name, "worker", "h", 1, "0", device, queues, slots, numeric), 0.0)


def test_each_class_of_machine_has_the_class_of_most_of_its_workers() -> None:
    cpu, gpu = worker("a", "cpu", "x86", slots=8), worker("b", "gpu", "cuda")
    assert numeric_classes_of([cpu, gpu]) == {"cpu": "x86", "gpu": "cuda"}
    assert numeric_classes_of([worker("a", "cpu", "x86", "cpu", "gpu"), gpu]) == {"cpu": "x86", "gpu": "cuda"}
    assert numeric_classes_of([worker("a", "cpu", "x86", "cpu", "gpu")]) == {"cpu": "x86", "gpu": "x86"}
    assert numeric_classes_of([gpu]) == {"cpu": "cuda", "gpu": "cuda"}
    here = this_machine().numeric_class
    assert numeric_classes_of([]) == {"cpu": here, "gpu": here}


def test_a_device_whose_workers_were_all_let_go_keeps_their_class() -> None:
    cpu, both = worker("a", "cpu", "x86", slots=8), worker("a", "cpu", "x86", "cpu", "gpu")
    last = {"cpu": "old", "gpu": "cuda"}
    assert numeric_classes_of([cpu], last) == {"cpu": "x86", "gpu": "cuda"}
    assert numeric_classes_of([], last) == {"cpu": "old", "gpu": "cuda"}
    # Others that do its work now need not wait for it.
    assert numeric_classes_of([both], last) == {"cpu": "x86", "gpu": "x86"}
    assert numeric_classes_of([cpu, worker("b", "gpu", "newer")], last) == {"cpu": "x86", "gpu": "newer"}


def test_every_bundle_of_a_song_fits_the_machine_that_its_cluster_names() -> None:
    manifests = manifests_of(installed_steps().found)
    score = read_ustx(SONG.ustx().encode(), "song.ustx")
    assembly = assemble(score, cast(score, find_voices([])), manifests)
    compiler = Compiler(manifests, "x86", {"gpu": "cuda"})
    seen = set()
    for segment in assembly.segments:
        for name, one in compiler.compile(segment).steps.items():
            expected = "cuda" if one.cluster == "gpu" else "x86"
            assert one.step.numeric_class in ("", expected), name
            seen.add((one.cluster, one.step.numeric_class))
    assert {("gpu", "cuda"), ("cpu", "x86")} <= seen
