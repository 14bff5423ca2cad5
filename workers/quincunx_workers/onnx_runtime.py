"""The one place that knows ONNX Runtime.

It is imported when the first model is loaded, not before: a render that recalls everything never pays for it.
"""

from __future__ import annotations

import contextlib
import functools
import math
import os
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, Literal, TypeAlias

from quincunx_shared.errors import BadVoicebank, DeviceFailed, QuincunxError, StepFailed
from quincunx_shared.model_limits import GENEROUS, ModelLimits
from quincunx_shared.names import Digest
from quincunx_workers.bank_file import read_held
from quincunx_workers.model_check import foreign_operators, refuse_outside_weights
from quincunx_workers.noise import Noise, make_seedable
from quincunx_workers.processor import cpu_family, gpu_family
from quincunx_workers.run_guard import RunGuard

Provider: TypeAlias = Literal["cpu", "cuda"]

#: Name of the provider in ONNX Runtime, and its options. TF32 would cost a hundredfold of precision, and a search for
#: the fastest convolution may choose another one, with other last bits, in every session.
PROVIDERS: Mapping[Provider, tuple[str, dict[str, str]]] = {
    "cpu": ("CPUExecutionProvider", {}),
    "cuda": ("CUDAExecutionProvider", {"use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"}),
}

#: Types in ONNX Runtime's words and in NumPy's.
DTYPES: Mapping[str, str] = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
    "tensor(int64)": "int64",
    "tensor(int32)": "int32",
    "tensor(bool)": "bool",
}

#: How the runtime says that memory is at its limit, or at the machine's.
_OUT_OF_MEMORY = ("is smaller than requested bytes", "bad_alloc", "Failed to allocate memory", "out of memory")

#: How it says that a device failed: each of its libraries.
_DEVICE_FAILED = (
    *("CUDA failure", "CUDA error", "CUDNN failure", "CUDNN_FE failure", "CUBLAS failure", "CURAND failure"),
    *("CUFFT failure", "CUDNN_STATUS_", "CUBLAS_STATUS_"),
)

#: Only what ends the process: errors arrive as exceptions, and warnings are about files that nobody here can change.
LOG_FATAL = 4


def runtime_version() -> str:
    """Return the version of ONNX Runtime, or say how to install exactly one."""
    versions = {name: _version(name) for name in ("onnxruntime", "onnxruntime-gpu")}
    present = [version for version in versions.values() if version]
    if not present:
        raise QuincunxError("ONNX Runtime is not installed", remedy="pip install 'quincunx[cpu]', or 'quincunx[gpu]'")
    if len(present) > 1:
        raise QuincunxError(
            "onnxruntime and onnxruntime-gpu are both installed and overwrite each other",
            remedy="pip uninstall -y onnxruntime onnxruntime-gpu, then pip install 'quincunx[gpu]' or 'quincunx[cpu]'",
        )
    return present[0]


def installed_provider() -> Provider:
    """Return what the installed ONNX Runtime is made for: CUDA if it is the one for GPUs."""
    runtime_version()
    return "cuda" if _version("onnxruntime-gpu") else "cpu"


def numeric_class(provider: Provider = "cpu") -> str:
    """Name what decides the last bits of a result here. Two machines of one class give equal bits.

    Steps in NumPy run on the processor whatever runs the models, so its family is always in it; and so are the
    libraries that resample and encode.
    """
    libraries = " ".join(f"{name}-{_version(name)}" for name in ("numpy", "soxr", "soundfile"))
    processors = cpu_family() if provider == "cpu" else f"{cpu_family()} {gpu_family()}"
    return f"{provider} onnxruntime-{runtime_version()} {libraries} float32 {processors}"


class OnnxRuntime:
    """Loads models for one provider. Refused where ONNX Runtime is missing, doubled, or lacks the provider."""

    def __init__(self, provider: Provider = "cpu", limits: ModelLimits = GENEROUS) -> None:
        runtime_version()
        if provider == "cuda" and not _version("onnxruntime-gpu"):
            raise QuincunxError(
                "this ONNX Runtime knows no CUDA",
                remedy="pip uninstall -y onnxruntime, then pip install 'quincunx[gpu]'",
            )
        self._provider: Provider = provider
        self._limits = limits

    def load(self, path: Path, digest: Digest) -> OnnxModel:
        """Load a model whose content has the digest. One thread, fixed algorithms: equal feeds give equal bits."""
        content = read_held(path, digest)
        refuse_outside_weights(content, where=str(path))
        try:
            seedable = make_seedable(content)
            session = self._session(seedable.content)
            noises = {one: self._session(one.shape_model) if one.shape_model else None for one in seedable.noises}
        except Exception as error:  # the runtime's and the parser's errors have no base of their own
            if self._provider == "cuda" and is_of_the_device(error):
                full = _says(error, _OUT_OF_MEMORY)
                what = f"the device cannot load it: {_first_line(error)}"
                raise DeviceFailed(what, where=str(path), started=full) from error
            foreign = foreign_operators(content)
            if foreign:
                message = f"needs operators that are not part of ONNX: {', '.join(foreign)}"
                raise BadVoicebank(message, where=str(path)) from error
            raise BadVoicebank(f"is no model that can be run: {_first_line(error)}", where=str(path)) from error
        if PROVIDERS[self._provider][0] not in session.get_providers():
            raise DeviceFailed(
                f"ONNX Runtime could not start {self._provider}",
                remedy="check driver and CUDA version",
                started=False,
            )
        return OnnxModel(session, noises, seedable.unseeded, place=str(path), limits=self._limits)

    def _session(self, content: bytes) -> Any:
        onnxruntime = _library()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = LOG_FATAL
        options.use_deterministic_compute = True
        if _limit_memory(self._limits.memory_bytes):
            options.add_session_config_entry("session.use_env_allocators", "1")
        return onnxruntime.InferenceSession(content, options, providers=[PROVIDERS[self._provider]])


class OnnxModel:
    """A resident model. Any number of threads may run it at once."""

    def __init__(
        self,
        session: Any,
        noises: Mapping[Noise, Any],
        unseeded: tuple[str, ...],
        *,
        place: str,
        limits: ModelLimits = GENEROUS,
    ) -> None:
        """Take the session, the noises it wants with the sessions that know their shapes, and the file's place."""
        self._session = session
        self._limits = limits
        self._noises = noises
        self._unseeded = unseeded
        self._place = place
        filled = self.noises
        self._inputs = {
            one.name: (
                DTYPES.get(one.type, one.type),
                tuple(size if isinstance(size, int) else None for size in one.shape),
            )
            for one in session.get_inputs()
            if one.name not in filled
        }
        self._outputs = tuple(one.name for one in session.get_outputs())
        self._metadata: Mapping[str, str] = dict(session.get_modelmeta().custom_metadata_map)

    @property
    def inputs(self) -> Mapping[str, tuple[str, tuple[int | None, ...]]]:
        """Name → (dtype, shape) of every input a step feeds; a symbolic dimension is None."""
        return self._inputs

    @property
    def noises(self) -> tuple[str, ...]:
        """Random nodes of the file that became inputs: `run` fills them from the seed."""
        return tuple(noise.name for noise in self._noises)

    @property
    def unseeded(self) -> tuple[str, ...]:
        """Random nodes that no seed reaches, because they stand in a branch or a loop."""
        return self._unseeded

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs, in order."""
        return self._outputs

    @property
    def metadata(self) -> Mapping[str, str]:
        """What the file says of itself beside its graph."""
        return self._metadata

    def run(self, feeds: Mapping[str, Any], *, seed: int = 0) -> tuple[Any, ...]:
        """Run once; outputs in order. Equal feeds and seed give equal bits within a numeric class.

        Raises `StepFailed` for a model that fails, and for one that takes more time or memory than the limits allow.
        """
        frames = _frames_of(feeds)
        options = _library().RunOptions()
        if frames > self._limits.keep_frames:
            options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        guard = RunGuard(options, self._limits.seconds_for(frames))
        try:
            with guard:
                return tuple(self._session.run(list(self._outputs), self._with_noise(feeds, seed), options))
        except StepFailed:
            raise
        except Exception as error:  # the runtime's errors have no base of their own
            raise self._failure(error, timed_out=guard.ended) from error

    def _failure(self, error: Exception, *, timed_out: bool) -> StepFailed:
        said = _first_line(error)
        if timed_out:
            what = "the model took too long and was ended"
            return StepFailed(what, where=self._place, remedy="--model-seconds gives it more time")
        if PROVIDERS["cuda"][0] in self._session.get_providers() and is_of_the_device(error):
            return DeviceFailed(f"the device failed: {said}", where=self._place)
        if _says(error, _OUT_OF_MEMORY):
            what = "the model asks for more memory than it may have"
            return StepFailed(what, where=self._place, remedy="--model-memory gives it more")
        return StepFailed(f"the model failed: {said}", where=self._place)

    def _with_noise(self, feeds: Mapping[str, Any], seed: int) -> dict[str, Any]:
        """Add the noises in the order of the graph: the shape of a later one may depend on an earlier one."""
        fed = dict(feeds)
        for noise, shape_session in self._noises.items():
            shape = noise.shape if shape_session is None else self._shape(shape_session, fed)
            self._refuse_vast(noise, shape or ())
            fed[noise.name] = noise.draw(shape or (), seed)
        return fed

    def _refuse_vast(self, noise: Noise, shape: tuple[int, ...]) -> None:
        """Refuse a noise that could never be held; it is drawn outside the runtime, in doubles, with one copy."""
        limit = self._limits.memory_bytes
        if limit and math.prod(shape) * 16 > limit:
            what = f"the model asks for more memory than it may have: noise {noise.name} of shape {shape}"
            raise StepFailed(what, where=self._place, remedy="--model-memory gives it more")

    def _shape(self, session: Any, fed: Mapping[str, Any]) -> tuple[int, ...]:
        """Return the shape that a noise has for these feeds."""
        (shape,) = session.run(["shape"], {one.name: fed[one.name] for one in session.get_inputs()})
        return tuple(int(size) for size in shape)


@functools.cache
def _library() -> Any:
    """Import ONNX Runtime, with its telemetry off.

    Recent builds write an identifier of the machine into the user's cache and report to their maker over
    the network, from the import on. Nobody who renders a song has agreed to that; who wants it sets the variable to 0.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    return onnxruntime


@functools.cache
def _limit_memory(limit_bytes: int) -> bool:
    """Let all models of this process together take so much of the processor's memory; False where there is no limit.

    The runtime keeps one such pool a process, so the first limit stays. Requests beyond it fail before anything is
    allocated, those of the optimizer included.
    """
    if not limit_bytes:
        return False
    onnxruntime = _library()
    kind = onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR
    place = onnxruntime.OrtMemoryInfo("Cpu", kind, 0, onnxruntime.OrtMemType.DEFAULT)
    # 1: grow by what is asked for. The default doubles, and half of a long phrase's memory would never be used.
    wishes = {"max_mem": limit_bytes, "arena_extend_strategy": 1, "initial_chunk_size_bytes": -1}
    arena = onnxruntime.OrtArenaCfg({**wishes, "max_dead_bytes_per_chunk": -1})
    with contextlib.suppress(RuntimeError):  # there is one already
        onnxruntime.create_and_register_allocator(place, arena)
    return True


def _frames_of(feeds: Mapping[str, Any]) -> int:
    """Return the longest side of what a model is fed with: the frames of the phrase."""
    return max((max(getattr(feed, "shape", ()), default=0) for feed in feeds.values()), default=0)


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


def is_of_the_device(error: Exception) -> bool:
    """Whether what the runtime raised on a device is the device's fault or lack, not the model's."""
    return _says(error, (*_DEVICE_FAILED, *_OUT_OF_MEMORY))


def _says(error: Exception, marks: Iterable[str]) -> bool:
    return any(mark in str(error) for mark in marks)


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0]
