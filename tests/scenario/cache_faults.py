"""What happens to caches: processes killed on them, bytes that turn over, several processes at once.

Small counts run in the suite (`test_cache_faults`), large ones as `python -m tests.benchmarks.cache_faults`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.scenario.front_door import FrontDoor, Told
from tests.scenario.songs import SONG, SongText

#: The song, and an edit of it that reads results which an unchanged render does not look at.
SONGS: dict[str, SongText] = {"as it was": SONG, "edited": SONG.with_curve("pitd", (2400, 0), (2500, 40), (2600, 0))}

PATIENCE_SECONDS = 120.0


@dataclass(frozen=True)
class Bench:
    """A folder with songs, what each of them sounds like, and a cache in which all of them are rendered."""

    home: Path
    door: FrontDoor
    sounds: dict[str, bytes] = field(default_factory=dict)
    #: How many steps each of the songs has on a cache of its own.
    steps: dict[str, int] = field(default_factory=dict)

    @property
    def sound_cache(self) -> Path:
        """The cache in which everything is as it was written."""
        return self.home / "cache"

    def song(self, name: str) -> Path:
        """The file of a song."""
        return self.home / f"{name}.ustx"

    def render(self, name: str, cache: Path) -> tuple[Told, bytes]:
        """Render a song on a cache; return what was said, and the sound."""
        out = self.home / "out.wav"
        out.unlink(missing_ok=True)
        told = self.door.quincunx(self.home, "render", self.song(name), "-o", out, "--cache-dir", cache, "--json")
        return told, out.read_bytes() if out.exists() else b""

    def is_right(self, name: str, cache: Path) -> bool:
        """Whether a song renders without an error and sounds as it must. Says what is wrong if not."""
        told, sound = self.render(name, cache)
        right = told.code == 0 and sound == self.sounds[name]
        if not right:
            print(f"{name}: exit code {told.code}, {len(sound)} bytes\n{told.err}", file=sys.stderr)
        return right

    def copy(self, name: str) -> Path:
        """A copy of the sound cache."""
        copy = self.home / name
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.sound_cache, copy)
        return copy


def open_bench(home: Path, door: FrontDoor) -> Bench:
    """Write the songs and render each of them, on a cache of its own and on the one for all."""
    bench = Bench(home, door)
    for name, song in SONGS.items():
        bench.song(name).write_text(song.ustx(), encoding="utf-8")
        told, bench.sounds[name] = bench.render(name, home / "own")
        bench.steps[name] = len(json.loads(told.out)["ran"])
        shutil.rmtree(home / "own")
    for name in SONGS:
        assert bench.is_right(name, bench.sound_cache)
    return bench


def start(bench: Bench, name: str, cache: Path, out: Path) -> subprocess.Popen[str]:
    """Start a render in a process of its own."""
    command = [sys.executable, "-m", "quincunx_orchestrator.cli", "render", str(bench.song(name)), "-o", str(out)]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [*command, "--cache-dir", str(cache), "--json", "--quiet"], stdout=pipe, stderr=pipe, text=True
    )


# ---- processes that are killed


@dataclass
class Kills:
    """What became of renders that were killed, and of the next render on their cache."""

    killed: int = 0
    ended_before: int = 0
    #: Of those that were killed, how many had stored something.
    stored_before: int = 0
    #: Files of half-written blobs that were left behind, in all.
    parts: int = 0
    #: Records that promise blobs which were not written: they heal.
    broken_promises: int = 0
    wrong_blobs: int = 0
    wrong_renders: int = 0


def kill_often(bench: Bench, count: int, chance: random.Random) -> Kills:
    """Kill renders on an empty cache at random moments of their work; verify what is left, and render again on it."""
    told = Kills()
    seconds = seconds_of_work(bench)
    for _ in range(count):
        cache = bench.home / "killed"
        shutil.rmtree(cache, ignore_errors=True)
        with start(bench, "as it was", cache, bench.home / "killed.wav") as process:
            wait_for_work(process, cache)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=chance.uniform(0.0, seconds))
            told.ended_before += process.poll() is not None
            told.killed += process.poll() is None
            process.kill()
        told.stored_before += any((cache / "blobs").glob("??/*"))
        told.parts += sum(1 for _ in (cache / "blobs" / "parts").glob("*"))
        found = verified(bench, cache)
        told.broken_promises += found["broken_results"]
        told.wrong_blobs += len(wrong_blobs(cache)) + len(found["corrupt"]) + len(found["foreign"])
        told.wrong_renders += not bench.is_right("as it was", cache)
    return told


def seconds_of_work(bench: Bench) -> float:
    """How long a render takes from the moment on in which it opens its cache."""
    cache = bench.home / "timed"
    with start(bench, "as it was", cache, bench.home / "timed.wav") as process:
        wait_for_work(process, cache)
        began = time.perf_counter()
        process.communicate()
    return time.perf_counter() - began


def wait_for_work(process: subprocess.Popen[str], cache: Path) -> None:
    """Wait until a render opens its cache, or ends."""
    while process.poll() is None and not (cache / "blobs" / "parts").exists():
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.002)


def verified(bench: Bench, cache: Path) -> dict[str, Any]:
    """What `cache verify` finds."""
    told = bench.door.quincunx(bench.home, "cache", "verify", "--json", "--cache-dir", cache)
    found: dict[str, Any] = json.loads(told.out)
    assert told.code == int(bool(found["corrupt"] or found["foreign"] or found["broken_results"])), told
    return found


def wrong_blobs(cache: Path) -> list[Path]:
    """The blobs whose bytes are not what their names say."""
    return [
        path
        for path in (cache / "blobs").glob("??/*")
        if hashlib.sha256(path.read_bytes()).hexdigest() != path.parent.name + path.name
    ]


# ---- bytes that turn over


@dataclass
class Flips:
    """What became of renders on caches in which bytes were changed."""

    flipped: int = 0
    #: Of those, in databases; the others in blobs.
    in_databases: int = 0
    renders: int = 0
    wrong_renders: int = 0


def flip_often(bench: Bench, count: int, chance: random.Random, *, at_most: int = 20) -> Flips:
    """Change bytes of cache files, one or several at a time, each time in a fresh copy, and render on it."""
    told = Flips()
    while told.flipped < count:
        cache = bench.copy("flipped")
        files = sorted(path for path in cache.rglob("*") if path.is_file() and path.stat().st_size)
        databases = [path for path in files if "blobs" not in path.relative_to(cache).parts]
        for _ in range(min(chance.randint(1, at_most), count - told.flipped)):
            # A cache has few databases, in which everything is at stake.
            path = chance.choice(databases if chance.random() < 0.2 else files)
            flip(path, chance)
            told.flipped += 1
            told.in_databases += path in databases
        for name in chance.sample(sorted(SONGS), len(SONGS)):
            told.renders += 1
            told.wrong_renders += not bench.is_right(name, cache)
    return told


def unnoticed(bench: Bench, rounds: int, chance: random.Random) -> int:
    """Spoil some blobs in each round in every way; return in how many `cache verify` did not name just these."""
    failed = 0
    for _ in range(rounds):
        cache = bench.copy("spoilt")
        blobs = sorted((cache / "blobs").glob("??/*"))
        spoilt = chance.sample(blobs, chance.randint(1, min(4, len(blobs))))
        for path in spoilt:
            chance.choice((flip, cut, empty))(path, chance)
        named = set(verified(bench, cache)["corrupt"])
        failed += named != {path.parent.name + path.name for path in spoilt}
    return failed


def cut(path: Path, chance: random.Random) -> None:
    """Take away the end of a file."""
    with path.open("r+b") as file:
        file.truncate(chance.randrange(1, os.fstat(file.fileno()).st_size))


def empty(path: Path, _chance: random.Random) -> None:
    """Leave nothing in a file."""
    path.write_bytes(b"")


def flip(path: Path, chance: random.Random) -> None:
    """Turn one bit of a file over."""
    with path.open("r+b") as file:
        place = chance.randrange(os.fstat(file.fileno()).st_size)
        file.seek(place)
        (octet,) = file.read(1)
        file.seek(place)
        file.write(bytes([octet ^ 1 << chance.randrange(8)]))


# ---- several processes at once


@dataclass(frozen=True)
class Together:
    """What processes did that rendered at the same time; `twice` are the runs beyond the first of each step."""

    steps: int
    runs: int
    twice: int
    #: The steps that each of them ran.
    shares: tuple[int, ...]
    wrong: int


def render_together(bench: Bench, name: str, cache: Path, processes: int = 2) -> Together:
    """Render one song in several processes at once, on one cache."""
    outs = [bench.home / f"together-{number}.wav" for number in range(processes)]
    running = [start(bench, name, cache, out) for out in outs]
    documents, wrong = [], 0
    for process, out in zip(running, outs, strict=True):
        said, complaint = process.communicate(timeout=PATIENCE_SECONDS)
        right = process.returncode == 0 and out.read_bytes() == bench.sounds[name]
        wrong += not right
        if right:
            documents.append(json.loads(said))
        else:
            print(complaint, file=sys.stderr)
    shares = tuple(len(document["ran"]) for document in documents)
    runs = Counter(_step(ran) for document in documents for ran in document["ran"])
    return Together(len(runs), sum(shares), sum(shares) - len(runs), shares, wrong)


def _step(ran: Iterable[Any]) -> tuple[str, str]:
    phrase, node, _ = ran
    return str(phrase), str(node)


# ---- upkeep while others render


@dataclass
class Upkeep:
    """What became of renders on a cache that is emptied meanwhile."""

    orders: int = 0
    failed_orders: int = 0
    renders: int = 0
    wrong_renders: int = 0


#: What is done to a cache, again and again; the first two at the same time.
ORDERS = (("gc", "--to", "0"), ("gc", "--to", "100KB"), ("purge", "--all", "--yes"), ("verify", "--repair"))


def look_after(bench: Bench, rounds: int) -> Upkeep:
    """Render in two processes at once, and carry out every order of upkeep while they run."""
    told = Upkeep()
    cache = bench.copy("looked-after")
    for number in range(rounds):
        outs = [bench.home / f"looked-{one}.wav" for one in range(2)]
        names = [sorted(SONGS)[(number + one) % len(SONGS)] for one in range(2)]
        renders = [start(bench, name, cache, out) for name, out in zip(names, outs, strict=True)]
        while any(one.poll() is None for one in renders):
            orders = [_order(cache, *words) for words in ORDERS[:2]]
            told.failed_orders += sum(_failed(one) for one in orders)
            for words in ORDERS[2:]:
                told.failed_orders += _failed(_order(cache, *words))
            told.orders += len(ORDERS)
        for name, out, render in zip(names, outs, renders, strict=True):
            told.renders += 1
            told.wrong_renders += _failed(render) or out.read_bytes() != bench.sounds[name]
    return told


def _order(cache: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "quincunx_orchestrator.cli", "cache", *words, "--cache-dir", str(cache)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _failed(process: subprocess.Popen[str]) -> bool:
    said, complaint = process.communicate(timeout=PATIENCE_SECONDS)
    if process.returncode:
        print(process.args, said, complaint, file=sys.stderr)
    return process.returncode != 0
