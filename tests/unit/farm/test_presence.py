"""What was seen in a store is remembered for some minutes, and not for ever."""

from __future__ import annotations

from quincunx_shared.names import Digest
from quincunx_shared.stores.memory import ManualClock
from quincunx_shared.stores.presence import Presence

A, B, C = Digest("a"), Digest("b"), Digest("c")


def test_what_is_noted_is_known_until_it_is_forgotten() -> None:
    presence = Presence()
    presence.note([A, B])
    assert presence.unknown([A, B, C]) == {C}
    presence.forget(A)
    assert presence.unknown([A, B]) == {A}


def test_it_is_remembered_for_one_to_two_spans() -> None:
    clock = ManualClock()
    presence = Presence(seconds=10, now=clock.now)
    clock.advance(9)
    presence.note([A])
    clock.advance(2)
    presence.note([B])
    assert presence.unknown([A, B]) == set()
    clock.advance(11)
    presence.note([])
    assert presence.unknown([A, B]) == {A}


def test_nothing_is_remembered_after_a_long_silence() -> None:
    clock = ManualClock()
    presence = Presence(seconds=10, now=clock.now)
    presence.note([A])
    clock.advance(21)
    assert presence.unknown([A]) == {A}


def test_so_many_are_remembered_and_no_more() -> None:
    presence = Presence(most=10)
    presence.note(Digest(f"{number}") for number in range(11))
    presence.note(Digest(f"{number}") for number in range(11, 22))
    presence.note([A])
    assert presence.unknown([Digest("0"), Digest("15"), A]) == {Digest("0")}
