"""After any edits, on any number of threads, over any state of the cache: the same bits as a fresh render."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.scenario.desk import open_desk
from tests.scenario.songs import BEAT, SONG, SongText, phrase

#: One edit of a song, chosen and shaped by three small numbers.
Edit = Callable[[SongText, int, int], SongText]


def _lyric(song: SongText, which: int, amount: int) -> SongText:
    words = ("la", "night", "two", "too", "はな")
    number = which % len(song.phrases)
    return song.with_phrase(number, song.phrases[number].with_note(0, lyric=words[amount % len(words)]))


def _tone(song: SongText, which: int, amount: int) -> SongText:
    number = which % len(song.phrases)
    return song.with_phrase(number, song.phrases[number].with_note(0, tone=60 + amount % 12))


def _move(song: SongText, which: int, amount: int) -> SongText:
    """Move the last phrase, so that rests never become shorter."""
    del which
    return song.with_phrase(-1, song.phrases[-1].moved(BEAT * (amount % 3)))


def _pitd(song: SongText, which: int, amount: int) -> SongText:
    start = song.phrases[which % len(song.phrases)].start
    return song.with_curve("pitd", (start, 0), (start + 100, amount * 3), (start + 200, 0))


def _dyn(song: SongText, which: int, amount: int) -> SongText:
    start = song.phrases[which % len(song.phrases)].start
    return song.with_curve("dyn", (start, 0), (start + 300, -amount), (start + 400, 0))


def _volume(song: SongText, which: int, amount: int) -> SongText:
    return replace(song, volume=-(amount % 12) - which)


def _delete(song: SongText, which: int, amount: int) -> SongText:
    del amount
    if len(song.phrases) == 1:
        return song
    number = which % len(song.phrases)
    return replace(song, phrases=song.phrases[:number] + song.phrases[number + 1 :])


def _append(song: SongText, which: int, amount: int) -> SongText:
    end_beat = song.phrases[-1].start // BEAT + 8
    return replace(song, phrases=(*song.phrases, phrase(end_beat, ("oh", "ま", "day")[which], tone=60 + amount % 12)))


EDITS: tuple[Edit, ...] = (_lyric, _tone, _move, _pitd, _dyn, _volume, _delete, _append)

edits = st.tuples(st.sampled_from(EDITS), st.integers(0, 2), st.integers(0, 40))
damages = st.sampled_from(["none", "deleted", "flipped", "emptied"])


def damage(root: Path, kind: str, seed: int) -> None:
    """Delete, flip or empty a third of the blobs."""
    if kind == "none":
        return
    chance = random.Random(seed)
    for path in sorted((root / "blobs").glob("??/*")):
        if path.parent.name == "parts" or chance.random() > 0.33:
            continue
        if kind == "deleted":
            path.unlink()
        elif kind == "emptied":
            path.write_bytes(b"")
        else:
            content = bytearray(path.read_bytes() or b"\0")
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
            path.write_bytes(content)


def rendered(root: Path, song: SongText, threads: int) -> bytes:
    """The sound of a song, rendered over the cache in a folder."""
    with open_desk(root, threads=threads) as desk:
        desk.render(song.ustx())
        return desk.sound


#: One edit after the other, each with the damage done to the cache before it is rendered.
Script: TypeAlias = list[tuple[tuple[Edit, int, int], str]]
scripts = st.lists(st.tuples(edits, damages), min_size=1, max_size=4)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scripts, st.integers(1, 4), st.integers(0, 99))
def test_an_edited_song_sounds_like_one_rendered_afresh(script: Script, threads: int, seed: int) -> None:
    sounds_like_one_rendered_afresh(script, threads, seed)


def sounds_like_one_rendered_afresh(script: Script, threads: int, seed: int) -> None:
    """Render edit after edit over one damaged cache, and compare the last sound with that of an empty cache."""
    song = replace(SONG, phrases=SONG.phrases[:2])
    with tempfile.TemporaryDirectory() as name:
        used = Path(name, "used")
        rendered(used, song, threads)
        for number, ((edit, which, amount), kind) in enumerate(script):
            song = edit(song, which, amount)
            damage(used, kind, seed + number)
            incremental = rendered(used, song, threads)
        assert incremental == rendered(Path(name, "fresh"), song, 1)
