"""What every blackboard does: in memory, and in Redis."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis

from quincunx_shared.canonical import digest_of_bytes
from quincunx_shared.errors import MissingInputs
from quincunx_shared.farm.redis_board import RedisBoard
from quincunx_shared.names import Address, PortKey, RenderId, SegmentId
from quincunx_shared.payload import ParamRef
from quincunx_shared.ports import Blackboard
from quincunx_shared.stores.memory import MemoryBoard


@pytest.fixture(params=["memory", "fake_redis", "redis"])
def board(request: pytest.FixtureRequest) -> Blackboard:
    if request.param == "memory":
        return MemoryBoard()
    return RedisBoard(request.getfixturevalue(request.param), "qx", RenderId("r"))


def port(node: str, name: str = "out", segment: str = "p1") -> Address:
    return Address(SegmentId(segment), PortKey(node, name))


def ref(content: bytes) -> ParamRef:
    return ParamRef(digest_of_bytes(content), "bytes", len(content))


def test_what_was_pinned_can_be_taken_again_and_again(board: Blackboard) -> None:
    board.put({port("pitch"): ref(b"f0"), port("acoustic"): ref(b"mel")})
    for _ in range(2):
        assert board.take([port("acoustic"), port("pitch")]) == {
            port("acoustic"): ref(b"mel"),
            port("pitch"): ref(b"f0"),
        }
    assert board.take([]) == {}


def test_a_later_pin_takes_the_place_of_an_earlier_one(board: Blackboard) -> None:
    board.put({port("pitch"): ref(b"old")})
    board.put({port("pitch"): ref(b"new")})
    assert board.take([port("pitch")]) == {port("pitch"): ref(b"new")}


def test_every_absent_address_is_named(board: Blackboard) -> None:
    board.put({port("pitch"): ref(b"f0")})
    with pytest.raises(MissingInputs) as told:
        board.take([port("pitch"), port("pitch", "uv"), port("acoustic", segment="p2")])
    assert told.value.ports == {"p1/pitch": ("uv",), "p2/acoustic": ("out",)}


def test_a_board_that_was_destroyed_holds_nothing(board: Blackboard) -> None:
    board.put({port("pitch"): ref(b"f0")})
    board.close()
    with pytest.raises(MissingInputs):
        board.take([port("pitch")])


def test_threads_pin_side_by_side(board: Blackboard) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: board.put({port(f"n{number}"): ref(b"%d" % number)}), range(200)))
    taken = board.take([port(f"n{number}") for number in range(200)])
    assert all(taken[port(f"n{number}")] == ref(b"%d" % number) for number in range(200))


def test_a_board_in_redis_is_gone_after_a_while(redis: Redis) -> None:
    board = RedisBoard(redis, "qx", RenderId("r"), keep_seconds=100)
    board.put({port("pitch"): ref(b"f0")})
    assert 0 < redis.ttl("qx:{r}:board") <= 100
    board.close()
    assert redis.keys() == []


def test_what_is_no_reference_is_missing(redis: Redis) -> None:
    board = RedisBoard(redis, "qx", RenderId("r"))
    board.put({port("pitch"): ref(b"f0")})
    (field,) = redis.hkeys("qx:{r}:board")
    redis.hset("qx:{r}:board", field, b"spoilt")
    with pytest.raises(MissingInputs):
        board.take([port("pitch")])


def test_ten_thousand_are_pinned_and_taken(redis: Redis) -> None:
    board = RedisBoard(redis, "qx", RenderId("r"))
    values = {port(f"n{number}"): ref(b"%d" % number) for number in range(10_000)}
    board.put(values)
    assert board.take(list(values)) == values
