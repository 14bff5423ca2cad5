"""Steps for workers under test, offered like those of any installed package: a folder that goes on the path."""

from __future__ import annotations

from pathlib import Path

#: What a worker imports. `{version}` is that of every step; `trace` is a file that tells what began to run.
_MODULE = """
import os, signal, time
import numpy as np
from pathlib import Path
from quincunx_shared import Input, Manifest, Option, Output, Step

def step(name, run, deterministic=True):
    inputs = (Input(name="x", type="audio", required=False),)
    options = tuple(Option(name=one, type="str", default="") for one in ("trace", "word"))
    options += (Option(name="seconds", type="float", default=0.0),)
    outputs = (Output(name="y", type="audio"),)
    return Step(Manifest(name=name, version="{version}", inputs=inputs, outputs=outputs, options=options), run)

def begin(options):
    if options["trace"]:
        with open(options["trace"], "a") as file:
            file.write(options["word"] + "\\n")

def nap(inputs, options, context):
    begin(options)
    if options["seconds"]:
        time.sleep(options["seconds"])
    seed = sum(options["word"].encode())
    return np.arange(10_000, dtype=np.float32) + np.float32(seed)

def die(inputs, options, context):
    begin(options)
    os.kill(os.getpid(), signal.SIGKILL)

def sour(inputs, options, context):
    raise ValueError("sour")

def hold(inputs, options, context):
    while not Path(options["trace"] + ".go").exists():
        time.sleep(0.01)
    return nap(inputs, options, context)

def hang(inputs, options, context):
    begin(options)
    while True:
        time.sleep(60)

if "KILLED_AT_POP" in os.environ:
    from kombu.transport.redis import QoS
    note, fuse = QoS.append, Path(os.environ["KILLED_AT_POP"])

    def die_before_noting(self, message, tag):
        if fuse.exists():
            fuse.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        note(self, message, tag)

    QoS.append = die_before_noting

NAP, DIE, HANG = step("nap", nap), step("die", die), step("hang", hang)
SOUR, HOLD = step("sour", sour), step("hold", hold)
"""

_OFFERS = "[quincunx.steps]\nnap = toy_steps:NAP\ndie = toy_steps:DIE\nhang = toy_steps:HANG\n"
_OFFERS += "sour = toy_steps:SOUR\nhold = toy_steps:HOLD\n"


def offer_toy_steps(folder: Path, version: str = "1") -> Path:
    """Write the package into a folder, which then belongs into PYTHONPATH."""
    about = folder / "toy_steps-1.dist-info"
    about.mkdir(parents=True)
    (folder / "toy_steps.py").write_text(_MODULE.replace("{version}", version))
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-steps\nVersion: 1\n")
    (about / "entry_points.txt").write_text(_OFFERS)
    return folder
