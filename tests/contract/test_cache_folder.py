"""The cache of a machine as a whole: one folder, opened again and again."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.contract.test_signature_index import made, name_of

from quincunx_shared.canonical import digest_of_bytes
from quincunx_shared.stores.cache_folder import open_cache

SONG = b"la" * 20_000


def test_what_one_process_left_the_next_one_finds(tmp_path: Path) -> None:
    with closing(open_cache(tmp_path / "new" / "cache")) as cache:
        cache.blobs.put(digest_of_bytes(SONG), SONG)
        cache.index.add({name_of("a"): made("a")})
        cache.history.remember("song", b"record")
    with closing(open_cache(tmp_path / "new" / "cache")) as cache:
        assert cache.blobs.get(digest_of_bytes(SONG)) == SONG
        assert cache.index.find([name_of("a")]) == {name_of("a"): made("a")}
        assert cache.history.recall("song") == b"record"


def test_it_says_how_much_it_holds(tmp_path: Path) -> None:
    with closing(open_cache(tmp_path)) as cache:
        assert (cache.index.count(), cache.blobs.count(), cache.blobs.size_bytes()) == (0, 0, 0)
        cache.blobs.put(digest_of_bytes(SONG), SONG)
        cache.blobs.put(digest_of_bytes(b"x"), b"x")
        cache.index.add({name_of("a"): made("a")})
        assert (cache.index.count(), cache.blobs.count(), cache.blobs.size_bytes()) == (1, 2, len(SONG) + 1)


def test_two_who_opened_it_find_what_the_other_flushed(tmp_path: Path) -> None:
    with closing(open_cache(tmp_path)) as one, closing(open_cache(tmp_path)) as other:
        one.index.add({name_of("a"): made("one")})
        one.index.flush()
        other.index.add({name_of("a"): made("other")})
        other.index.flush()
        for cache in (one, other):
            assert cache.index.find([name_of("a")]) == {name_of("a"): made("one")}


def test_closing_twice_does_nothing_more(tmp_path: Path) -> None:
    cache = open_cache(tmp_path)
    cache.close()
    cache.close()
    assert not list(tmp_path.glob("*.corrupt-*"))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.text(), records=st.lists(st.binary(max_size=5000), min_size=1, max_size=3))
def test_the_last_record_of_a_song_is_the_one_that_is_recalled(tmp_path: Path, key: str, records: list[bytes]) -> None:
    with closing(open_cache(tmp_path)) as cache:
        for record in records:
            cache.history.remember(f"song {key}", record)
        assert cache.history.recall(f"song {key}") == records[-1]
        assert cache.history.recall(f"other {key}") is None


def test_a_record_of_a_song_that_was_spoilt_is_no_record(tmp_path: Path) -> None:
    with closing(open_cache(tmp_path)) as cache:
        cache.history.remember("song", b"record" * 100)
        cache.database.run(lambda connection: connection.execute("UPDATE song SET record = x'00112233'"))
        assert cache.history.recall("song") is None
        cache.history.remember("song", b"again")
        assert cache.history.recall("song") == b"again"


@pytest.mark.parametrize("surrogate", ["\udce9"])
def test_a_key_that_is_no_text_is_refused_and_spoils_nothing(tmp_path: Path, surrogate: str) -> None:
    with closing(open_cache(tmp_path)) as cache:
        with pytest.raises(UnicodeEncodeError):
            cache.history.remember(surrogate, b"record")
        cache.history.remember("song", b"record")
        assert cache.history.recall("song") == b"record"
