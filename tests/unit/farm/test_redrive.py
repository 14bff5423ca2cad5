"""When a bundle is sent again: at once where somebody died, soon where it came back, late where it only waits."""

from __future__ import annotations

import pytest

from quincunx_orchestrator.farm.redrive import Seen, Sent, is_lost


@pytest.mark.parametrize(
    ("seen", "waited", "waiting", "lost"),
    [
        (Seen(was_claimed=True, returned=0), 0.1, True, True),
        (Seen(was_claimed=False, returned=0), 4.0, True, False),
        (Seen(was_claimed=False, returned=0), 2.0, False, False),
        (Seen(was_claimed=False, returned=0), 4.0, False, True),
        (Seen(was_claimed=False, returned=0), 121.0, True, True),
        (Seen(was_claimed=False, returned=1), 0.5, True, False),
        (Seen(was_claimed=False, returned=1), 1.0, True, True),
        (Seen(was_claimed=False, returned=3), 2.0, True, False),
        (Seen(was_claimed=False, returned=3), 3.0, True, True),
        (Seen(was_claimed=False, returned=99), 9.0, True, False),
        (Seen(was_claimed=False, returned=99), 10.0, True, True),
    ],
)
def test_what_was_sent_once(seen: Seen, waited: float, waiting: bool, lost: bool) -> None:
    assert is_lost(Sent(100.0), seen, 100.0 + waited, lambda: waiting) == lost


def test_what_came_back_before_it_was_sent_again_waits_its_turn() -> None:
    seen = Seen(was_claimed=False, returned=2)
    assert not is_lost(Sent(100.0, returned=2), seen, 110.0, lambda: True)
    assert is_lost(Sent(100.0, returned=1), seen, 102.0, lambda: True)
