"""The list of nodes: who is there, who fell silent, and who was asked to take no more."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from redis import Redis

from quincunx_shared.farm.nodes import Drain, Node, RedisNodes, SeenNode

NODE = Node("anna-1", "worker", "anna", 7, "0.1.0", "cpu", ("quincunx.cpu.user",), 2, "x86", {"mix": "1"}, (), 3.0)


@pytest.fixture
def nodes(redis: Redis) -> RedisNodes:
    return RedisNodes(redis, "qx")


def test_a_node_that_beats_is_listed_and_one_that_leaves_is_not(nodes: RedisNodes) -> None:
    assert nodes.beat(NODE) is None
    nodes.beat(replace(NODE, name="anna-0"))
    seen = nodes.seen()
    assert [one.node.name for one in seen] == ["anna-0", "anna-1"]
    assert seen[1].node == NODE
    assert seen[1].state == "up"
    assert seen[1].silent_seconds < 5
    nodes.leave("anna-0")
    assert [one.node.name for one in nodes.seen()] == ["anna-1"]


def test_the_class_of_a_device_outlives_its_workers(nodes: RedisNodes) -> None:
    gpu = replace(NODE, name="ben-gpu", device="gpu", numeric_class="cuda")
    for one in (NODE, gpu, replace(NODE, name="c", role="coordinator", device="", numeric_class="")):
        nodes.beat(one)
        nodes.leave(one.name)
    assert nodes.seen() == []
    assert nodes.last_classes() == {"cpu": "x86", "gpu": "cuda"}
    nodes.beat(replace(gpu, numeric_class="newer"))
    assert nodes.last_classes() == {"cpu": "x86", "gpu": "newer"}
    assert nodes.recent_classes(60) == {"cpu": {"x86"}, "gpu": {"cuda", "newer"}}
    assert nodes.recent_classes(-60) == {}


def test_a_node_hears_of_its_drain_and_why(nodes: RedisNodes) -> None:
    nodes.beat(NODE)
    nodes.drain("anna-1", "a new disk", by="ben")
    asked = nodes.beat(replace(NODE, doing=("render 1, acoustic: s1",)))
    assert asked is not None
    assert (asked.reason, asked.by) == ("a new disk", "ben")
    assert nodes.seen()[0].state == "draining"
    nodes.beat(replace(NODE, doing=("render 1, acoustic: s1",), taking=False))
    assert nodes.seen()[0].state == "draining"
    nodes.beat(replace(NODE, taking=False))
    assert nodes.seen()[0].state == "drained"
    assert nodes.undrain("anna-1")
    assert not nodes.undrain("anna-1")
    assert nodes.beat(NODE) is None


def test_a_silent_node_stays_in_the_list_for_a_day(nodes: RedisNodes, redis: Redis) -> None:
    nodes.beat(NODE)
    told = json.loads(redis.hget("qx:nodes", "anna-1") or b"")
    redis.hset("qx:nodes", "anna-1", json.dumps({**told, "seen_at": told["seen_at"] - 86000}))
    assert nodes.seen()[0].state == "silent"
    redis.hset("qx:nodes", "anna-1", json.dumps({**told, "seen_at": told["seen_at"] - 86500}))
    assert nodes.seen() == []
    assert redis.hlen("qx:nodes") == 0


def test_states_follow_from_silence_and_drain() -> None:
    assert SeenNode(NODE, 30.0, Drain("")).state == "silent"
    assert SeenNode(NODE, 1.0).state == "up"


def test_what_a_newer_node_tells_is_no_hindrance(nodes: RedisNodes, redis: Redis) -> None:
    nodes.beat(NODE)
    content = redis.hget("qx:nodes", "anna-1")
    assert isinstance(content, bytes)
    redis.hset("qx:nodes", "anna-1", content[:-1] + b', "mood": "good"}')
    assert nodes.seen()[0].node == NODE
