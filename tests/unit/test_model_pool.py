"""Models in memory: loaded once, dropped by need."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.unit import tiny_models

from quincunx_shared.canonical import digest_of_bytes
from quincunx_shared.errors import BadVoicebank
from quincunx_shared.names import Digest
from quincunx_shared.step import Model
from quincunx_workers.model_pool import ModelLibrary, ModelPool
from quincunx_workers.onnx_runtime import OnnxRuntime


class Loader:
    """Loads real models and remembers what it loaded; it waits for `gate`, if it is told to."""

    def __init__(self) -> None:
        self.loaded: list[str] = []
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, path: Path, digest: Digest) -> Model:
        self.loaded.append(path.stem)
        assert self.gate.wait(10)
        return OnnxRuntime().load(path, digest)


@pytest.fixture
def loader() -> Loader:
    return Loader()


@pytest.fixture
def digests(tmp_path: Path) -> dict[str, Digest]:
    """Three different models of nearly one size, by file name."""
    names = ("a", "b", "c")
    return {
        name: tiny_models.kept(tmp_path, tiny_models.vocoder(hop), f"{name}.onnx")[1]
        for hop, name in enumerate(names, 2)
    }


@pytest.fixture
def library(tmp_path: Path, digests: dict[str, Digest]) -> ModelLibrary:
    return ModelLibrary({digest: tmp_path / f"{name}.onnx" for name, digest in digests.items()})


def test_a_model_is_loaded_once_however_many_ask(
    library: ModelLibrary, loader: Loader, digests: dict[str, Digest]
) -> None:
    loader.gate.clear()
    pool = ModelPool(library, loader)
    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(pool.model, digests["a"]) for _ in range(8)]
        loader.gate.set()
        assert len({id(one.result()) for one in asked}) == 1
    assert loader.loaded == ["a"]


def test_the_least_recently_used_model_makes_room(
    tmp_path: Path, library: ModelLibrary, loader: Loader, digests: dict[str, Digest]
) -> None:
    pool = ModelPool(library, loader, budget_bytes=2 * (tmp_path / "a.onnx").stat().st_size + 10)
    for name in ("a", "b", "a", "c"):
        pool.model(digests[name])
    assert pool.resident == (digests["a"], digests["c"])
    assert loader.loaded == ["a", "b", "c"]


def test_after_a_failure_the_next_asker_tries_again(
    tmp_path: Path, library: ModelLibrary, loader: Loader, digests: dict[str, Digest]
) -> None:
    pool, path = ModelPool(library, loader), tmp_path / "a.onnx"
    content = path.read_bytes()
    path.write_bytes(b"half a mod")
    with pytest.raises(BadVoicebank, match="has changed"):
        pool.model(digests["a"])
    path.write_bytes(content)
    assert pool.model(digests["a"]).outputs == ("waveform",)


def test_a_model_nobody_installed_is_named(library: ModelLibrary, loader: Loader) -> None:
    with pytest.raises(BadVoicebank, match="digest feed"):
        ModelPool(library, loader).model(Digest("feed"))


def test_a_model_whose_file_is_gone_is_refused(
    tmp_path: Path, library: ModelLibrary, loader: Loader, digests: dict[str, Digest]
) -> None:
    (tmp_path / "a.onnx").unlink()
    with pytest.raises(BadVoicebank, match="cannot be read"):
        ModelPool(library, loader).model(digests["a"])


def test_a_bank_file_is_held_to_its_digest(tmp_path: Path, loader: Loader) -> None:
    path = tmp_path / "opencpop.emb"
    path.write_bytes(b"\0\0\x80\x3f")
    digest = digest_of_bytes(path.read_bytes())
    pool = ModelPool(ModelLibrary({digest: path}), loader)
    assert pool.file(digest) == b"\0\0\x80\x3f"
    path.write_bytes(b"\0\0\0\0")
    with pytest.raises(BadVoicebank, match="has changed"):
        pool.file(digest)
