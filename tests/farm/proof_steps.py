"""Steps that farms under proof run: a chain of work over arrays, a mix, one that dies and one that hangs.

Workers find them as those of any installed package: `offer` writes what the package would say of itself. Each
execution leaves a line in the file that the option `trace` names, which belongs to no signature: what began, and when.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from quincunx_shared.manifest import Input, Manifest, Option, Output
from quincunx_shared.step import Step

ROOT = Path(__file__).parents[2]


def compute_for(seconds: float) -> None:
    """Keep a core busy for so long. Sleeping would measure how fast an idle core wakes up instead."""
    if not seconds:
        return
    deadline = time.perf_counter() + seconds
    noise = np.linspace(1, 2, 20_000)
    while time.perf_counter() < deadline:
        np.sqrt(noise, out=noise)


def _trace(options: Mapping[str, Any], word: str) -> None:
    if options["trace"]:
        # One write to a file that is appended to: lines of many processes do not mix.
        with Path(options["trace"]).open("ab", buffering=0) as file:
            file.write(f"{word} {time.time():.3f}\n".encode())


def _work(inputs: Mapping[str, Any], options: Mapping[str, Any], context: Any) -> Any:
    x = np.asarray(inputs["x"], dtype=np.float32)
    _trace(options, f"work{options['place']} {x[0]} {x[-1]}")
    context.report(0.0)
    compute_for(options["seconds"])
    return x * np.float32(options["gain"]) + np.float32(1)


def _die(inputs: Mapping[str, Any], options: Mapping[str, Any], context: Any) -> Any:  # noqa: ARG001
    _trace(options, "die")
    os.kill(os.getpid(), signal.SIGKILL)
    return inputs["x"]


def _hang(inputs: Mapping[str, Any], options: Mapping[str, Any], context: Any) -> Any:  # noqa: ARG001
    """Hang once, when first asked: whoever tries again comes through."""
    _trace(options, "hang")
    if Path(options["trace"]).read_text().count("hang ") == 1:
        time.sleep(3600)
    return inputs["x"]


def _mix(inputs: Mapping[str, Any], options: Mapping[str, Any], context: Any) -> Any:  # noqa: ARG001
    _trace(options, "mix")
    there = [one for one in inputs["audio"] if one is not None]
    return np.sum(there, axis=0, dtype=np.float32) if there else np.zeros(0, np.float32)


_TRACE = Option(name="trace", type="str", default="", in_signature=False)


def _step(name: str, run: Any, *options: Option, version: str = "1") -> Step:
    inputs, outputs = (Input(name="x", type="audio"),), (Output(name="y", type="audio"),)
    return Step(Manifest(name=name, version=version, inputs=inputs, outputs=outputs, options=(_TRACE, *options)), run)


WORK = _step(
    "proof.work",
    _work,
    Option(name="seconds", type="float", default=0.0),
    Option(name="gain", type="float", default=1.0),
    Option(name="place", type="int", default=0),
)
DIE, HANG = _step("proof.die", _die), _step("proof.hang", _hang)
MIX = Step(
    Manifest(
        name="proof.mix",
        version="1",
        inputs=(Input(name="audio", type="audio", multi=True, partial=True),),
        outputs=(Output(name="audio", type="audio"),),
        options=(_TRACE,),
    ),
    _mix,
)

STEPS: Mapping[str, Step] = {one.manifest.name: one for one in (WORK, DIE, HANG, MIX)}


def offer(folder: Path) -> str:
    """Offer the steps to processes that have the returned folders as their PYTHONPATH."""
    about = folder / "proof_steps-1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: proof-steps\nVersion: 1\n")
    rows = "".join(f"{one.lower()} = {__name__}:{one}\n" for one in ("WORK", "DIE", "HANG", "MIX"))
    (about / "entry_points.txt").write_text(f"[quincunx.steps]\n{rows}")
    return os.pathsep.join([str(folder), str(ROOT)])
