"""What every signature index does: in memory, in SQLite and in Redis."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quincunx_shared.farm.redis_index import RedisIndex
from quincunx_shared.names import Digest, Signature
from quincunx_shared.payload import ParamRef
from quincunx_shared.ports import Outputs, SignatureIndex
from quincunx_shared.stores.database import SqliteDatabase
from quincunx_shared.stores.memory import MemoryIndex
from quincunx_shared.stores.record import pack, unpack
from quincunx_shared.stores.sqlite import SqliteIndex

FORMS: dict[str, Callable[[Path, ExitStack], SignatureIndex]] = {
    "memory": lambda _root, _ends: MemoryIndex(),
    "sqlite": lambda root, ends: SqliteIndex(ends.enter_context(closing(SqliteDatabase(root / "index.sqlite")))),
}

REFS = st.builds(
    ParamRef,
    digest=st.binary(min_size=32, max_size=32).map(lambda raw: Digest(raw.hex())),
    kind=st.sampled_from(("json", "array", "bytes")),
    size_bytes=st.integers(0, 2**63),
    shape=st.lists(st.integers(0, 2**40), max_size=4).map(tuple),
    dtype=st.sampled_from(("", "<f4", "|b1", "<c16")),
    inline=st.none() | st.binary(max_size=1024),
)
OUTPUTS = st.lists(REFS, max_size=4).map(tuple)
KEYS = st.binary(min_size=32, max_size=32)


@pytest.fixture(params=[*FORMS, "fake_redis", "redis"])
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SignatureIndex]:
    if request.param not in FORMS:
        yield RedisIndex(request.getfixturevalue(request.param))
        return
    with ExitStack() as ends:
        yield FORMS[request.param](tmp_path, ends)


def name_of(text: object) -> Signature:
    return Signature(sha256(str(text).encode()).hexdigest())


def made(text: object) -> Outputs:
    """The outputs of a step that made one small and one large thing."""
    small = str(text).encode()
    large = ParamRef(Digest(sha256(b"large" + small).hexdigest()), "array", 40_000, (100, 100), "<f4")
    return ParamRef(Digest(sha256(small).hexdigest()), "json", len(small), inline=small), large


def inline_of(outputs: Outputs) -> list[bytes | None]:
    """Inline bytes do not take part in the equality of references."""
    return [ref.inline for ref in outputs]


def test_what_was_added_is_found(index: SignatureIndex) -> None:
    index.add({name_of("a"): made("a"), name_of("b"): ()})
    for _ in range(2):
        found = index.find([name_of("a"), name_of("b"), name_of("c")])
        assert found == {name_of("a"): made("a"), name_of("b"): ()}
        assert inline_of(found[name_of("a")]) == [b"a", None]
        index.flush()


def test_nothing_is_found_where_nothing_was_asked_or_added(index: SignatureIndex) -> None:
    assert index.find([]) == {}
    assert index.find([name_of("a")]) == {}
    index.add({})


@pytest.mark.parametrize("flushed", [True, False])
def test_the_first_writer_wins(index: SignatureIndex, flushed: bool) -> None:
    index.add({name_of("a"): made("first")})
    if flushed:
        index.flush()
    index.add({name_of("a"): made("second")})
    index.flush()
    assert index.find([name_of("a")]) == {name_of("a"): made("first")}


@pytest.mark.parametrize("flushed", [True, False])
def test_what_is_forgotten_can_be_added_anew(index: SignatureIndex, flushed: bool) -> None:
    index.add({name_of("a"): made("first"), name_of("b"): made("b")})
    if flushed:
        index.flush()
    index.forget([name_of("a"), name_of("never there")])
    assert index.find([name_of("a"), name_of("b")]) == {name_of("b"): made("b")}
    index.add({name_of("a"): made("second")})
    index.flush()
    assert index.find([name_of("a")]) == {name_of("a"): made("second")}


def test_ten_thousand_are_found_in_one_question(index: SignatureIndex) -> None:
    records = {name_of(number): made(number) for number in range(10_000)}
    index.add(records)
    index.flush()
    strangers = [name_of(f"stranger {number}") for number in range(1000)]
    assert index.find([*records, *strangers, *list(records)[:100]]) == records


def test_many_threads_agree_on_the_first_writer(index: SignatureIndex) -> None:
    def write(writer: int) -> None:
        for number in range(100):
            index.add({name_of(number): made(f"{number} by {writer}")})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    asked = [name_of(number) for number in range(100)]
    before = index.find(asked)
    index.flush()
    assert len(before) == 100
    assert index.find(asked) == before


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=KEYS, outputs=OUTPUTS)
def test_any_outputs_come_back_as_they_were(index: SignatureIndex, key: bytes, outputs: Outputs) -> None:
    signature = Signature(key.hex())
    index.forget([signature])
    index.add({signature: outputs})
    index.flush()
    found = index.find([signature])[signature]
    assert found == outputs
    assert inline_of(found) == inline_of(outputs)


@given(key=KEYS, outputs=OUTPUTS, place=st.integers(0, 10**6), flip=st.integers(1, 255))
def test_a_record_with_any_byte_changed_is_no_record(key: bytes, outputs: Outputs, place: int, flip: int) -> None:
    spoilt = bytearray(pack(key, outputs))
    spoilt[place % len(spoilt)] ^= flip
    assert unpack(key, bytes(spoilt)) is None


@given(key=KEYS, other=KEYS, outputs=OUTPUTS, cut=st.integers(1, 40))
def test_a_record_cut_short_or_under_another_name_is_no_record(
    key: bytes, other: bytes, outputs: Outputs, cut: int
) -> None:
    record = pack(key, outputs)
    assert unpack(key, record[:-cut]) is None
    assert (unpack(other, record) is None) == (key != other)
    assert unpack(key, None) is None
