"""Who works on what: the contract of every form of the work state."""

from __future__ import annotations

import json

import pytest
from redis import Redis
from tests.farm.work_desk import RENDER, Desk, memory_desk, redis_desk

from quincunx_shared.events import StepProgressed, StepRan
from quincunx_shared.farm.render_keys import render_key
from quincunx_shared.farm.work_state import MOST_ATTEMPTS, Finished
from quincunx_shared.names import Address, PortKey, SegmentId
from quincunx_shared.payload import encode

A, B, C = "1/s1/mix", "1/s2/mix", "1/s/3/mix"
ALL = {A: b"a", B: b"\x00b", C: "乐".encode()}


@pytest.fixture(params=["memory", "redis"])
def desk(request: pytest.FixtureRequest) -> Desk:
    if request.param == "memory":
        return memory_desk()
    return redis_desk(request.getfixturevalue("redis"))


def test_what_is_released_is_leased_once(desk: Desk) -> None:
    assert desk.work.release(RENDER, 1, ALL)
    first = desk.work.lease(RENDER, [A, B], "one")
    second = desk.work.lease(RENDER, [B, C, A], "other")
    assert first.open
    assert dict(first.bundles) == {A: b"a", B: b"\x00b"}
    assert dict(second.bundles) == {C: "乐".encode()}
    assert desk.work.unclaimed(RENDER, ALL) == set()
    assert desk.work.in_hand(RENDER) == 3
    desk.work.hand_back(RENDER, [C], second.token)
    assert desk.work.in_hand(RENDER) == 2


def test_a_render_nobody_knows_is_not_open(desk: Desk) -> None:
    assert not desk.work.lease(RENDER, [A], "one").open
    assert desk.work.begin(RENDER, [A], "t") == ("stop",)
    assert desk.work.renew(RENDER, [A], "t") == "stop"
    assert desk.work.finish(RENDER, "t", [Finished(A, b"x")]) == frozenset()
    assert desk.work.unclaimed(RENDER, [A]) == set()
    assert desk.work.outcomes(RENDER, [A]) == {}


def test_a_bundle_ends_with_its_exports_and_events(desk: Desk) -> None:
    desk.work.release(RENDER, 1, ALL)
    token = desk.work.lease(RENDER, [A, B], "one").token
    assert desk.work.begin(RENDER, [A], token) == ("go",)
    address, ref = Address(SegmentId("s1"), PortKey("mix", "audio")), encode([1, 2]).ref
    ran = StepRan(SegmentId("s1"), "mix", "it had to", 0.5)
    assert desk.work.finish(RENDER, token, [Finished(A, b"out", {address: ref}, [ran, ran])]) == {A}
    assert desk.work.outcomes(RENDER, ALL) == {A: b"out"}
    assert desk.on_board(address) == ref
    assert list(desk.events()) == [ran, ran]
    assert [one.worker for one in desk.events() if isinstance(one, StepRan)] == ["one", "one"]
    assert desk.work.unclaimed(RENDER, ALL) == {C}
    assert dict(desk.work.lease(RENDER, [A], "other").bundles) == {}


def test_the_same_report_twice_changes_nothing(desk: Desk) -> None:
    desk.work.release(RENDER, 1, ALL)
    token = desk.work.lease(RENDER, [A], "one").token
    report = [Finished(A, b"out", events=[StepRan(SegmentId("s1"), "mix", "", 0.5)])]
    assert desk.work.finish(RENDER, token, report) == {A}
    assert desk.work.finish(RENDER, token, report) == {A}
    assert len(desk.events()) == 1


def test_a_lease_that_ran_out_is_anybodys_and_fences_the_first(desk: Desk) -> None:
    desk.work.release(RENDER, 1, ALL)
    late = desk.work.lease(RENDER, [A], "late").token
    desk.work.begin(RENDER, [A], late)
    desk.expire()
    assert desk.work.unclaimed(RENDER, [A]) == {A}
    token = desk.work.lease(RENDER, [A], "other").token
    assert desk.work.begin(RENDER, [A], late) == ("stale",)
    assert desk.work.renew(RENDER, [A], late) == "stale"
    desk.work.hand_back(RENDER, [A], late, "late")
    assert desk.work.finish(RENDER, late, [Finished(A, b"late")]) == frozenset()
    assert desk.work.finish(RENDER, token, [Finished(A, b"good")]) == {A}
    assert desk.work.outcomes(RENDER, [A]) == {A: b"good"}
    assert desk.work.finish(RENDER, late, [Finished(A, b"late")]) == frozenset()


def test_a_lease_that_ran_out_and_that_nobody_took_still_counts(desk: Desk) -> None:
    desk.work.release(RENDER, 1, ALL)
    token = desk.work.lease(RENDER, [A], "one").token
    desk.expire()
    assert desk.work.renew(RENDER, [A], token) == "go"
    assert desk.work.unclaimed(RENDER, [A]) == set()
    desk.expire()
    assert desk.work.finish(RENDER, token, [Finished(A, b"out")]) == {A}


def test_after_three_attempts_a_bundle_is_quarantined_in_every_generation(desk: Desk) -> None:
    desk.work.release(RENDER, 1, ALL)
    for attempt in range(MOST_ATTEMPTS):
        token = desk.work.lease(RENDER, [A], "dies").token
        for _ in range(2):
            # Once it was begun and did not end, nothing else is to compute beside it.
            assert desk.work.begin(RENDER, [A], token) == (("alone" if attempt else "go"),)
            assert desk.work.begin(RENDER, [A], token, alone=True) == ("go",)
        desk.expire()
    desk.work.release(RENDER, 2, {"2/s1/mix": b"a"})
    token = desk.work.lease(RENDER, ["2/s1/mix"], "lives").token
    assert desk.work.begin(RENDER, ["2/s1/mix"], token) == ("quarantined",)
    assert desk.work.finish(RENDER, token, [Finished("2/s1/mix", b"died")]) == {"2/s1/mix"}
    # Whoever asks for it once more is not refused for ever.
    desk.work.release(RENDER, 3, {"3/s1/mix": b"a"})
    token = desk.work.lease(RENDER, ["3/s1/mix"], "lives").token
    assert desk.work.begin(RENDER, ["3/s1/mix"], token) == ("go",)


def test_a_worker_that_dies_counts_against_what_it_computed_alone(desk: Desk) -> None:
    desk.work.release(RENDER, 1, ALL)
    for _ in range(MOST_ATTEMPTS):
        token = desk.work.lease(RENDER, [A, B], "dies").token
        assert desk.work.begin(RENDER, [A], token) == ("go",)
        assert desk.work.begin(RENDER, [B], token, survived=[A], alone=True) == ("go",)
        desk.expire()
    token = desk.work.lease(RENDER, [A, B], "lives").token
    assert desk.work.begin(RENDER, [A], token) == ("go",)
    assert desk.work.begin(RENDER, [B], token, survived=[A]) == ("quarantined",)


def test_several_bundles_are_begun_together_but_none_that_was_begun_before(desk: Desk) -> None:
    desk.work.release(RENDER, 1, ALL)
    token = desk.work.lease(RENDER, [C], "dies").token
    desk.work.begin(RENDER, [C], token)
    desk.expire()
    token = desk.work.lease(RENDER, [A, B, C], "lives").token
    assert desk.work.begin(RENDER, [A, B, C], token) == ("go", "go")
    assert desk.work.begin(RENDER, [C, A], token, survived=[A, B]) == ("alone",)
    assert desk.work.begin(RENDER, ["1/s4/mix", A], token) == ("stale",)


def test_a_bundle_that_waits_to_compute_alone_has_not_begun(desk: Desk) -> None:
    """Else it would be counted with whatever ends the process that it waits in."""
    desk.work.release(RENDER, 1, ALL)
    token = desk.work.lease(RENDER, [A], "dies").token
    desk.work.begin(RENDER, [A], token)
    for _ in range(MOST_ATTEMPTS + 1):
        desk.expire()
        token = desk.work.lease(RENDER, [A], "waits").token
        assert desk.work.begin(RENDER, [A, B], token) == ("alone",)
    assert desk.work.begin(RENDER, [A], token, alone=True) == ("go",)


def test_handing_back_is_no_attempt(desk: Desk) -> None:
    desk.work.release(RENDER, 1, ALL)
    for _ in range(MOST_ATTEMPTS + 1):
        token = desk.work.lease(RENDER, [A], "old").token
        assert desk.work.begin(RENDER, [A], token) == ("go",)
        desk.work.hand_back(RENDER, [A], token, "has mix 1, needs 2")
        assert desk.work.unclaimed(RENDER, [A]) == {A}
    assert desk.work.refusals(RENDER) == {A: "has mix 1, needs 2"}
    token = desk.work.lease(RENDER, [A], "new").token
    desk.work.finish(RENDER, token, [Finished(A, b"")])
    assert desk.work.refusals(RENDER) == {}


def test_what_came_back_is_told_until_it_ends(desk: Desk) -> None:
    """Whoever sends messages knows nothing of one that was taken and not followed."""
    desk.work.release(RENDER, 1, ALL)
    assert desk.work.returned(RENDER) == {}
    token = desk.work.lease(RENDER, [A, B], "one").token
    desk.work.hand_back(RENDER, [A], token)
    desk.work.leave(RENDER, [A, B, C, "1/s4/mix"])
    assert desk.work.returned(RENDER) == {A: 2, C: 1}, "B is in somebody's hands, and nobody knows s4"
    desk.work.release(RENDER, 1, ALL)
    token = desk.work.lease(RENDER, [A], "other").token
    assert desk.work.returned(RENDER) == {A: 2, C: 1}, "a number never falls, so it may be read at any time"
    desk.work.finish(RENDER, token, [Finished(A, b"out")])
    assert desk.work.returned(RENDER) == {C: 1}
    desk.work.release(RENDER, 2, {"2/s1/mix": b"a"})
    assert desk.work.returned(RENDER) == {}


def test_after_a_stop_nothing_begins_or_ends(desk: Desk) -> None:
    desk.work.release(RENDER, 1, ALL)
    token = desk.work.lease(RENDER, [A, B], "one").token
    desk.work.finish(RENDER, token, [Finished(B, b"")])
    desk.work.stop(RENDER)
    assert desk.work.outcomes(RENDER, [B]) == {}
    assert desk.work.begin(RENDER, [A], token) == ("stop",)
    assert desk.work.renew(RENDER, [A], token) == "stop"
    assert desk.work.finish(RENDER, token, [Finished(A, b"x")]) == frozenset()
    assert desk.work.outcomes(RENDER, [A]) == {}
    assert not desk.work.lease(RENDER, [B], "other").open
    assert not desk.work.release(RENDER, 2, {"2/s1/mix": b""})
    desk.work.close(RENDER)
    assert desk.work.renew(RENDER, [A], token) == "stop"


def test_a_stop_that_comes_first_holds(desk: Desk) -> None:
    desk.work.stop(RENDER)
    assert not desk.work.release(RENDER, 1, ALL)


def test_a_newer_generation_forgets_the_older(desk: Desk) -> None:
    desk.work.release(RENDER, 1, ALL)
    token = desk.work.lease(RENDER, [A, B], "one").token
    desk.work.finish(RENDER, token, [Finished(B, b"")])
    assert desk.work.release(RENDER, 2, {"2/s1/mix": b"again"})
    assert desk.work.begin(RENDER, [A], token) == ("stop",)
    assert desk.work.renew(RENDER, [A], token) == "stop"
    assert desk.work.finish(RENDER, token, [Finished(A, b"x")]) == frozenset()
    assert desk.work.unclaimed(RENDER, ALL) == set()
    assert not desk.work.release(RENDER, 1, ALL)
    assert dict(desk.work.lease(RENDER, ["2/s1/mix"], "one").bundles) == {"2/s1/mix": b"again"}


def test_released_anew_what_had_ended_is_open(desk: Desk) -> None:
    desk.work.release(RENDER, 1, ALL)
    token = desk.work.lease(RENDER, [A, B], "one").token
    desk.work.finish(RENDER, token, [Finished(A, b"its blobs are lost")])
    desk.work.release(RENDER, 1, {A: b"less", B: ALL[B]})
    assert desk.work.outcomes(RENDER, [A]) == {}
    assert desk.work.finish(RENDER, token, [Finished(A, b"stale")]) == frozenset()
    # What is under way is left in the hands it is in.
    assert dict(desk.work.lease(RENDER, [A, B], "other").bundles) == {A: b"less"}


def test_what_is_over_is_not_released_again(desk: Desk) -> None:
    desk.work.release(RENDER, 1, ALL)
    token = desk.work.lease(RENDER, [A], "one").token
    desk.work.close(RENDER)
    assert not desk.work.release(RENDER, 1, ALL), "by a coordinator that stood still meanwhile"
    assert not desk.work.release(RENDER, 2, {"2/s1/mix": b"a"})
    assert desk.work.begin(RENDER, [A], token) == ("stop",)


def test_what_is_neither_open_nor_over_is_unknown(desk: Desk) -> None:
    assert desk.work.unknown(RENDER, ALL) == set(ALL)
    desk.work.release(RENDER, 1, {A: ALL[A], B: ALL[B]})
    token = desk.work.lease(RENDER, [A], "one").token
    assert desk.work.unknown(RENDER, ALL) == {C}
    desk.work.finish(RENDER, token, [Finished(A, b"out")])
    assert desk.work.unknown(RENDER, ALL) == {C}


def test_everything_in_redis_expires_and_scripts_survive_a_restart(redis: Redis) -> None:
    desk = redis_desk(redis)
    desk.work.release(RENDER, 1, ALL)
    token = desk.work.lease(RENDER, [A, B], "one").token
    redis.script_flush()
    assert desk.work.finish(RENDER, token, [Finished(A, b"out")]) == {A}
    desk.work.hand_back(RENDER, [B], token, "why not")
    desk.work.stop(RENDER)
    assert all(redis.pttl(key) > 0 for key in redis.scan_iter())
    desk.work.close(RENDER)
    assert redis.keys() == [render_key("qx", RENDER, "state").encode()]
    assert 0 < redis.pttl(render_key("qx", RENDER, "state")) <= 3_600_000


def test_many_bundles_are_released_and_looked_at(redis: Redis) -> None:
    desk = redis_desk(redis)
    many = {f"1/s{n}/mix": json.dumps(n).encode() for n in range(1201)}
    desk.work.release(RENDER, 1, many)
    assert desk.work.unclaimed(RENDER, many) == set(many)
    assert redis.hlen(render_key("qx", RENDER, "bundles")) == 1201


def test_what_a_newer_generation_interrupts_in_somebodys_hands_is_no_attempt(desk: Desk) -> None:
    for generation in range(1, MOST_ATTEMPTS + 2):
        name = f"{generation}/s1/mix"
        desk.work.release(RENDER, generation, {name: b"a"})
        token = desk.work.lease(RENDER, [name], "lives").token
        assert desk.work.begin(RENDER, [name], token) == ("go",)


def test_nothing_of_a_suspended_attempt_begins_until_the_next(desk: Desk) -> None:
    desk.work.release(RENDER, 1, ALL)
    token = desk.work.lease(RENDER, [A, B], "one").token
    assert desk.work.begin(RENDER, [A], token) == ("go",)
    desk.work.hand_back(RENDER, [B], token, "no")
    desk.work.suspend(RENDER, 1)
    desk.work.suspend(RENDER, 1)
    assert desk.work.begin(RENDER, [A], token) == ("stop",)
    assert desk.work.renew(RENDER, [A], token) == "stop"
    assert dict(desk.work.lease(RENDER, [B, C], "other").bundles) == {}
    assert not desk.work.release(RENDER, 1, ALL)
    assert desk.work.refusals(RENDER) == {}
    assert desk.work.release(RENDER, 2, {"2/s1/mix": b"a"})
    token = desk.work.lease(RENDER, ["2/s1/mix"], "one").token
    assert desk.work.begin(RENDER, ["2/s1/mix"], token) == ("go",)
    # Who comes late with it changes nothing any more.
    desk.work.suspend(RENDER, 1)
    assert desk.work.renew(RENDER, ["2/s1/mix"], token) == "go"


def test_how_far_a_step_is_is_told_until_the_render_is_over(desk: Desk) -> None:
    desk.work.tell(RENDER, "one", StepProgressed(SegmentId("s1"), "mix", 10.0, ""))
    desk.work.release(RENDER, 1, ALL)
    desk.work.tell(RENDER, "one", StepProgressed(SegmentId("s1"), "mix", 50.0, ""))
    desk.work.stop(RENDER)
    desk.work.tell(RENDER, "one", StepProgressed(SegmentId("s1"), "mix", 90.0, ""))
    told = desk.events()
    assert [one.percent for one in told if isinstance(one, StepProgressed)] == [50.0]
