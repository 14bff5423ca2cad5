"""Fuzz the readers, guided by the lines they reach.

    python tests/fuzz/readers.py --seconds 600 [--only ustx --only archive] [--json]

Needs atheris (`pip install 'quincunx[fuzz]'`). Each target gets its share of the time in a process of its own. A crash
is anything but a value or `BadInput`, more than 2 s, or more than 500 MB over what the process holds at rest. Inputs
that crash are left in tests/fuzz/found/<target>/: mend the reader, keep the file, and `test_targets.py` replays it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FOUND = Path(__file__).parent / "found"

#: What one input may take. The clock runs on instrumented code, which is some three times as slow.
SECONDS_AN_INPUT = 6
MEMORY_MB = 700
LONGEST_INPUT = 16_384

#: What readers stumble over, put in beside the words of the seeds.
SURPRISES = (b"nan", b".inf", b"1e999", b"-1", b"0", b"null", b"~", b"true", b"&a", b"*a", b"!!x", b"[]", b"{}", b"---")


def fuzz_one(name: str, seconds: int, corpus: str, seed: int) -> None:
    """Fuzz one target in this process; does not return."""
    import atheris

    sys.path.insert(0, str(ROOT))
    with atheris.instrument_imports(include=["quincunx_shared", "quincunx_orchestrator", "quincunx_workers"]):
        from tests.fuzz.targets import TARGETS

        from quincunx_shared.errors import BadInput
    target = TARGETS[name]
    for number, content in enumerate(target.seeds):
        (Path(corpus) / f"seed-{number}").write_bytes(content)

    def test_one_input(content: bytes) -> None:
        with contextlib.suppress(BadInput):
            target.read(content)

    found = FOUND / name
    found.mkdir(parents=True, exist_ok=True)
    options = {"max_total_time": seconds, "timeout": SECONDS_AN_INPUT, "rss_limit_mb": MEMORY_MB}
    options |= {"max_len": LONGEST_INPUT, "print_final_stats": 1, "seed": seed, "verbosity": 1}
    arguments = [f"-{option}={chosen}" for option, chosen in options.items()]
    words = sorted({word for content in target.seeds for word in re.findall(rb"[\w.\-]{2,20}", content)})
    dictionary = Path(f"{corpus}.words")
    dictionary.write_text("".join(f'"{word.decode("ascii", "ignore")}"\n' for word in [*words, *SURPRISES]))
    arguments.append(f"-dict={dictionary}")
    atheris.Setup([sys.argv[0], *arguments, f"-artifact_prefix={found}/", corpus], test_one_input)
    atheris.Fuzz()


def fuzz(name: str, seconds: int, seed: int) -> dict[str, Any]:
    """Fuzz one target in a child, and return what it told."""
    corpus = tempfile.mkdtemp(prefix="quincunx-corpus-")
    command = [sys.executable, __file__, "--one", name, "--seconds", str(seconds), "--corpus", corpus]
    begun = time.monotonic()
    ran = subprocess.run([*command, "--seed", str(seed)], capture_output=True, check=False, cwd=ROOT)
    said = ran.stderr.decode(errors="replace") + ran.stdout.decode(errors="replace")
    shutil.rmtree(corpus, ignore_errors=True)
    Path(f"{corpus}.words").unlink(missing_ok=True)
    covered = re.findall(r"cov: (\d+)", said)
    executions = re.findall(r"stat::number_of_executed_units:\s*(\d+)", said)
    crashes = sorted(path.name for path in (FOUND / name).iterdir()) if (FOUND / name).exists() else []
    if (FOUND / name).exists() and not crashes:
        (FOUND / name).rmdir()
    return {
        "target": name,
        "executions": int(executions[-1]) if executions else 0,
        "edges": int(covered[-1]) if covered else 0,
        "edges_of_seeds": int(covered[0]) if covered else 0,
        "seconds": round(time.monotonic() - begun, 1),
        "crashed": ran.returncode != 0,
        "kept_inputs": crashes,
        "told": said[-3000:] if ran.returncode else "",
    }


def main() -> int:
    """Share the time among the targets and print what became of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--one", default="", help=argparse.SUPPRESS)
    parser.add_argument("--corpus", default="", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        fuzz_one(chosen.one, chosen.seconds, chosen.corpus, chosen.seed)
        return 0

    sys.path.insert(0, str(ROOT))
    from tests.fuzz.targets import TARGETS

    names = chosen.only or list(TARGETS)
    results = []
    for name in names:
        results.append(fuzz(name, max(chosen.seconds // len(names), 1), chosen.seed))
        if not chosen.json:
            told = results[-1]
            fate = "CRASHED" if told["crashed"] else "ok"
            print(
                f"{name:12} {told['executions']:>9} runs  {told['edges']:>6} edges  {fate}\n{told['told']}", flush=True
            )
    if chosen.json:
        print(json.dumps(results))
    return int(any(one["crashed"] for one in results))


if __name__ == "__main__":
    sys.exit(main())
