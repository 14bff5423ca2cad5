"""Models as the workers run them, on the real ONNX Runtime."""

from __future__ import annotations

import threading
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from tests.unit import tiny_models

from quincunx_shared.errors import BadVoicebank, QuincunxError, StepFailed
from quincunx_shared.model_limits import ModelLimits
from quincunx_shared.names import Digest
from quincunx_workers.onnx_runtime import OnnxRuntime, numeric_class


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Pretend that exactly these distributions are installed."""

    def pretend(*names: str) -> None:
        def version(name: str) -> str:
            if name in names:
                return "1.31.1"
            raise metadata.PackageNotFoundError(name)

        monkeypatch.setattr(metadata, "version", version)

    return pretend


def test_a_model_tells_its_inputs_and_runs(tmp_path: Path) -> None:
    model = OnnxRuntime().load(*tiny_models.kept(tmp_path, tiny_models.doubling()))
    assert model.inputs == {"x": ("float32", (None,))}
    assert model.outputs == ("y",)
    assert model.run({"x": np.array([1, 2], np.float32)})[0].tolist() == [2, 4]


def test_a_failing_run_names_the_model(tmp_path: Path) -> None:
    path, digest = tiny_models.kept(tmp_path, tiny_models.doubling())
    with pytest.raises(StepFailed, match=r"model\.onnx: the model failed") as failure:
        OnnxRuntime().load(path, digest).run({"x": np.zeros((1, 2), np.float32)})
    assert "\n" not in str(failure.value)


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadVoicebank, match=r"model\.onnx: is no model"):
        OnnxRuntime().load(*tiny_models.kept(tmp_path, b"<html>404</html>"))


def test_a_file_that_changed_since_the_plan_is_refused(tmp_path: Path) -> None:
    path, digest = tiny_models.kept(tmp_path, tiny_models.doubling())
    path.write_bytes(tiny_models.adding_noise())
    with pytest.raises(BadVoicebank, match="has changed"):
        OnnxRuntime().load(path, digest)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadVoicebank, match=r"gone\.onnx: cannot be read"):
        OnnxRuntime().load(tmp_path / "gone.onnx", Digest("0" * 64))


def test_foreign_operators_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(BadVoicebank, match=r"studio\.secret:Sing"):
        OnnxRuntime().load(*tiny_models.kept(tmp_path, tiny_models.foreign()))


@pytest.mark.parametrize("location", ["w.bin", "../w.bin", "/etc/w.bin"])
def test_weights_in_other_files_are_refused(tmp_path: Path, location: str) -> None:
    with pytest.raises(BadVoicebank, match="keeps weights in other files: w"):
        OnnxRuntime().load(*tiny_models.kept(tmp_path, tiny_models.with_outside_weights(location)))


def test_two_onnx_runtimes_at_once_are_refused(installed: Callable[..., None]) -> None:
    installed("onnxruntime", "onnxruntime-gpu")
    with pytest.raises(QuincunxError, match="pip uninstall -y onnxruntime onnxruntime-gpu"):
        OnnxRuntime()


def test_no_onnx_runtime_is_refused_with_the_way_to_get_one(installed: Callable[..., None]) -> None:
    installed()
    with pytest.raises(QuincunxError, match=r"pip install 'quincunx\[cpu\]'"):
        OnnxRuntime()


def test_cuda_on_the_runtime_for_processors_is_refused(installed: Callable[..., None]) -> None:
    installed("onnxruntime")
    with pytest.raises(QuincunxError, match=r"quincunx\[gpu\]"):
        OnnxRuntime("cuda")


def test_the_numeric_class_tells_provider_version_precision_and_processor() -> None:
    provider, runtime, *libraries, precision, processor = numeric_class().split(" ")
    assert (provider, precision) == ("cpu", "float32")
    assert runtime == f"onnxruntime-{metadata.version('onnxruntime')}"
    assert libraries == [f"{name}-{metadata.version(name)}" for name in ("numpy", "soxr", "soundfile")]
    assert processor


def test_a_model_that_never_ends_is_ended(tmp_path: Path) -> None:
    path, digest = tiny_models.kept(tmp_path, tiny_models.endless_vocoder())
    model = OnnxRuntime(limits=ModelLimits(seconds=0.1)).load(path, digest)
    feeds = {"mel": np.zeros((1, 2, 3), np.float32), "f0": np.ones((1, 2), np.float32)}
    for _ in range(2):  # and can be run again
        with pytest.raises(StepFailed, match=r"model\.onnx: the model took too long and was ended .--model-seconds"):
            model.run(feeds)


def test_a_model_may_take_longer_the_longer_it_sings() -> None:
    assert ModelLimits().seconds_for(86 * 60) > 20 * 60
    assert ModelLimits(seconds=5).seconds_for(10**6) == 5


def test_the_watch_over_a_run_goes_with_it(tmp_path: Path) -> None:
    model = OnnxRuntime(limits=ModelLimits(seconds=60)).load(*tiny_models.kept(tmp_path, tiny_models.doubling()))
    before = threading.active_count()
    for _ in range(50):
        assert model.run({"x": np.array([1], np.float32)})[0].tolist() == [2]
    assert threading.active_count() < before + 10
