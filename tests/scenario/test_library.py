"""Quincunx as a library, as the front door's own words describe it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.scenario.songs import SONG as SONG_TEXT

from quincunx_orchestrator.core.graph import connect, node_of
from quincunx_orchestrator.core.operations import AddEdge, AddNode, Batch, Intervene, RemoveEdge
from quincunx_orchestrator.embedded import installed_steps
from quincunx_orchestrator.score.readers import read_score
from quincunx_orchestrator.song.phrase_graph import FILE
from quincunx_orchestrator.song.voices import find_voices
from quincunx_orchestrator.studio import StudioSettings, open_studio
from quincunx_shared import Input, Manifest, Option, Output, Step
from quincunx_shared.intervention import Intervention
from quincunx_shared.names import SONG, Address, PortKey
from quincunx_shared.payload import encode
from quincunx_shared.stores.cache_folder import open_cache
from quincunx_shared.stores.memory import MemoryEventLog


def test_a_song_is_rendered_edited_and_rendered_again(tmp_path: Path) -> None:
    with (
        closing(open_cache(tmp_path)) as cache,
        open_studio(cache, MemoryEventLog(), find_voices([])) as studio,
    ):
        song = studio.assemble(read_score("song.ustx", SONG_TEXT.ustx().encode()), voice="demo")
        first = studio.render(song)
        assert first.payloads[Address(SONG, FILE)].startswith(b"RIFF")

        up = encode(50.0)
        edit = Intervene(Intervention(PortKey("pitch", "f0"), "offset", up.ref), (up,))
        phrase = song.placed[0].segment.with_operation(edit)
        again = studio.render(song.with_segment(phrase))
        assert [node for _, node in again.ran] == ["acoustic", "vocoder", "post", "mix", "master"]


def louder(inputs: Mapping[str, Any], options: Mapping[str, Any], context: object) -> Any:  # noqa: ARG001
    return inputs["audio"] * 10 ** (options["db"] / 20)


GAIN = Step(
    Manifest(
        name="gain",
        version="1",
        inputs=(Input(name="audio", type="audio"),),
        outputs=(Output(name="audio", type="audio"),),
        options=(Option(name="db", type="float", default=0.0, minimum=-60.0, maximum=24.0),),
    ),
    louder,
)


def test_a_step_of_one_s_own_is_put_into_a_phrase(tmp_path: Path) -> None:
    steps = {**installed_steps().found, "gain": GAIN}
    with (
        closing(open_cache(tmp_path)) as cache,
        open_studio(cache, MemoryEventLog(), find_voices([]), StudioSettings(steps=steps)) as studio,
    ):
        song = studio.assemble(read_score("song.ustx", SONG_TEXT.ustx().encode()))
        studio.render(song)

        insert = Batch(
            (
                AddNode(node_of(studio.manifests["gain"], options={"db": -6.0})),
                RemoveEdge(connect("vocoder.audio", "post.audio")),
                AddEdge(connect("vocoder.audio", "gain.audio")),
                AddEdge(connect("gain.audio", "post.audio")),
            )
        )
        phrase = song.placed[0].segment.with_operation(insert)
        again = studio.render(song.with_segment(phrase))
        assert [node for _, node in again.ran] == ["gain", "post", "mix", "master"]
        assert studio.render(song.with_segment(phrase.undone())).ran == {}
