"""Which errors a job outlives: outages by time, what may be chance by number, what is wrong with it not at all."""

from __future__ import annotations

import pytest

from quincunx_orchestrator.farm.job import Claim
from quincunx_orchestrator.farm.order_form import UnknownForm
from quincunx_orchestrator.farm.trouble import AWAY_SECONDS, MOST_TROUBLES, delay_seconds, may_pass
from quincunx_shared.errors import BlobsLost, FarmError, FarmUnreachable, StepError, StoreError, StoreUnreachable
from quincunx_shared.farm.wire import BadMessage
from quincunx_shared.names import Digest, RenderId

AWAY = (StoreUnreachable("no answer"), FarmUnreachable("no answer"), FarmError("it is full"), UnknownForm("form 9"))
CHANCE = (StoreError("no space is left"), MemoryError(), KeyError("an error of ours"))
WRONG = (BlobsLost(["0" * 64]), BadMessage("an order cannot be read"), StepError("no such step"))


def claim(troubles: int, seconds: float) -> Claim:
    return Claim(RenderId("one"), Digest("0" * 64), "token", 50, troubles=troubles, troubled_seconds=seconds)


@pytest.mark.parametrize("error", AWAY, ids=repr)
def test_a_server_that_is_away_is_waited_for_however_often_it_was_asked(error: Exception) -> None:
    assert may_pass(error, claim(10_000, AWAY_SECONDS - 1))
    assert not may_pass(error, claim(1, AWAY_SECONDS))


@pytest.mark.parametrize("error", CHANCE, ids=repr)
def test_what_may_be_chance_is_tried_a_number_of_times(error: Exception) -> None:
    assert may_pass(error, claim(MOST_TROUBLES - 1, 0))
    assert not may_pass(error, claim(MOST_TROUBLES, 0))


@pytest.mark.parametrize("error", WRONG, ids=repr)
def test_what_is_wrong_with_an_order_is_wrong_for_everybody(error: Exception) -> None:
    assert not may_pass(error, claim(0, 0))


def test_the_next_attempt_comes_later_each_time_and_within_a_minute() -> None:
    assert [delay_seconds(claim(troubles, 0)) for troubles in (0, 1, 2, 5, 6, 2000)] == [1, 2, 4, 32, 60, 60]
