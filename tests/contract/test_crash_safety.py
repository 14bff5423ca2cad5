"""Several processes on one cache, and processes that die in the middle of it."""

from __future__ import annotations

import itertools
import random
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path

import pytest
from tests.contract.writer import ROOT, content_of, keep, signature_of, start

from quincunx_shared.canonical import digest_of_bytes
from quincunx_shared.names import Digest
from quincunx_shared.stores.cache_folder import open_cache

WRITERS, EACH = 6, 30


def let_go(writers: Iterable[subprocess.Popen[str]]) -> None:
    """Let writers that are ready open the cache at the same moment."""
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.close()


def said_by(writer: subprocess.Popen[str], lines: int | None = None) -> dict[int, Digest]:
    """Return what a writer says it has written: the next lines, or all it says until its end."""
    assert writer.stdout is not None
    said = list(writer.stdout if lines is None else itertools.islice(writer.stdout, lines))
    whole = [line.split() for line in said if line.endswith("\n")]
    return {int(number): Digest(digest) for number, digest in whole}


def end_of(writer: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for the end of a writer whose words were heard, and return its exit status and what it complained of."""
    with writer:
        assert writer.stderr is not None
        complaint = writer.stderr.read()
    return writer.returncode, complaint


def known_to(root: Path, numbers: Iterable[int]) -> Mapping[int, Digest]:
    """Open a cache and return what it knows, after reading every byte of it."""
    asked = {signature_of(number): number for number in numbers}
    with closing(open_cache(root)) as cache:
        found = {asked[name]: outputs[0].digest for name, outputs in cache.index.find(asked).items()}
        for digest in found.values():
            assert digest_of_bytes(cache.blobs.get(digest)) == digest
    return found


def aside(root: Path) -> list[Path]:
    """What was found broken."""
    return list(root.rglob("*.corrupt-*"))


def parts(root: Path) -> list[Path]:
    """What was begun and not ended."""
    return list((root / "blobs" / "parts").iterdir())


def test_processes_that_open_a_new_cache_at_the_same_moment_lose_nothing(tmp_path: Path) -> None:
    root = tmp_path / "not" / "there" / "yet"
    # Each shares half of its results with the next.
    writers = [start(root, "", number * EACH // 2, EACH) for number in range(WRITERS)]
    let_go(writers)
    said = [said_by(writer) for writer in writers]
    assert [end_of(writer) for writer in writers] == [(0, "")] * WRITERS
    assert [len(one) for one in said] == [EACH] * WRITERS
    numbers = range((WRITERS + 1) * EACH // 2)
    assert known_to(root, numbers) == {number: digest_of_bytes(content_of(number)) for number in numbers}
    assert aside(root) == parts(root) == []


def test_all_processes_agree_on_who_was_first(tmp_path: Path) -> None:
    writers = [start(tmp_path, name, 0, EACH) for name in "abcd"]
    let_go(writers)
    said = [said_by(writer) for writer in writers]
    assert [end_of(writer) for writer in writers] == [(0, "")] * 4
    known = known_to(tmp_path, range(EACH))
    assert len(known) == EACH
    assert all(one == known for one in said), "what one was told is what everyone is told"


@pytest.mark.parametrize("seed", range(15))
def test_what_a_killed_process_had_flushed_is_kept_and_the_cache_goes_on(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    writers = [start(tmp_path, "", 0, 10_000), start(tmp_path, "", chance.randrange(20), 10_000)]
    let_go(writers)
    for writer in writers:
        said = said_by(writer, chance.choice([0, 0, 1, 5, 40]))
        writer.kill()
        said |= said_by(writer)
        assert end_of(writer) == (-signal.SIGKILL, "")
        assert known_to(tmp_path, said) == said
    with closing(open_cache(tmp_path)) as cache:
        for number in range(100):
            assert keep(cache, number) == digest_of_bytes(content_of(number))
    assert len(known_to(tmp_path, range(100))) == 100
    assert aside(tmp_path) == [], "a process that dies breaks no file"


def test_a_process_that_ends_without_closing_leaves_what_it_flushed(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path\n"
        "from tests.contract.writer import keep, open_cache\n"
        "keep(open_cache(Path(sys.argv[1])), 7); os._exit(0)"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", script, tmp_path], cwd=ROOT, check=True)
    assert (tmp_path / "index-1.sqlite-wal").stat().st_size > 0, "the log was left behind"
    assert known_to(tmp_path, [7]) == {7: digest_of_bytes(content_of(7))}
