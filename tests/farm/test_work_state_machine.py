"""Any order of calls by any workers: both forms agree, nothing is lost, nothing ends twice."""

from __future__ import annotations

from collections import Counter
from typing import Any, ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from redis import Redis
from tests.farm.work_desk import RENDER, memory_desk, redis_desk

from quincunx_shared.events import StepRan
from quincunx_shared.farm.work_state import MOST_ATTEMPTS, Finished, generation_of, origin_of
from quincunx_shared.names import SegmentId

NAMES = ("a/mix", "b/mix", "c/mix")
some_names = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True)
generations = st.integers(1, 2)
grants = st.integers(0, 7)


class Workers(RuleBasedStateMachine):
    """Workers lease, die, wake again too late, and report; a coordinator releases and sometimes begins anew."""

    server: ClassVar[Redis]

    def __init__(self) -> None:
        super().__init__()
        self.desks = (memory_desk(), redis_desk(self.server))
        self.generation = 0
        #: The token in each form, and what it was given.
        self.given: list[tuple[tuple[str, str], tuple[str, ...]]] = []
        self.newest: dict[str, int] = {}
        self.begun: Counter[str] = Counter()
        self.ends: Counter[str] = Counter()
        self.expired = False

    def both(self, ask: Any) -> Any:
        """Ask both forms the same, each with its own tokens, and hold them to one answer."""
        answers = [ask(desk.work, k) for k, desk in enumerate(self.desks)]
        assert answers[0] == answers[1]
        return answers[0]

    def grant(self, which: int) -> tuple[tuple[str, str], tuple[str, ...]] | None:
        return self.given[which % len(self.given)] if self.given else None

    @initialize()
    def release_all(self) -> None:
        self.release(list(NAMES), 1)

    @rule(names=some_names, generation=generations)
    def release(self, names: list[str], generation: int) -> None:
        bundles = {f"{generation}/{name}": name.encode() for name in names if f"{generation}/{name}" not in self.ends}
        opened = self.both(lambda work, _: work.release(RENDER, generation, bundles))
        assert opened == (generation >= self.generation)
        self.generation = max(self.generation, generation)

    @rule(names=some_names)
    def lease_what_is_open(self, names: list[str]) -> None:
        self.lease(names, self.generation)

    @rule(names=some_names, generation=generations)
    def lease(self, names: list[str], generation: int) -> None:
        ids = [f"{generation}/{name}" for name in names]
        answers = [desk.work.lease(RENDER, ids, "worker") for desk in self.desks]
        assert answers[0].bundles == answers[1].bundles
        for one in answers[0].bundles:
            assert one not in self.ends
            self.newest[one] = len(self.given)
        if answers[0].bundles:
            self.given.append(((answers[0].token, answers[1].token), tuple(answers[0].bundles)))

    @rule(which=grants)
    def begin(self, which: int) -> None:
        if (grant := self.grant(which)) is not None:
            tokens, ids = grant
            for one in ids:
                (verdict,) = self.both(lambda work, k, one=one: work.begin(RENDER, [one], tokens[k]))
                if generation_of(one) < self.generation:
                    assert verdict == "stop"
                elif one in self.ends or self.given[self.newest[one]] is not grant:
                    assert verdict == "stale"

    @rule(which=grants, alone=st.booleans())
    def begin_together(self, which: int, alone: bool) -> None:
        if (grant := self.grant(which)) is not None and grant[1]:
            tokens, ids = grant
            self.both(lambda work, k: work.begin(RENDER, ids, tokens[k], survived=ids[:1], alone=alone))

    @rule(which=grants, hand=st.booleans())
    def report(self, which: int, hand: bool) -> None:
        if (grant := self.grant(which)) is not None:
            tokens, ids = grant
            if hand:
                self.both(lambda work, k: work.hand_back(RENDER, ids, tokens[k], "no"))
                return
            ran = StepRan(SegmentId("s"), "mix", "", 0.5)
            reports = [Finished(one, b"done", events=[ran]) for one in ids]
            before = set(self.ends)
            accepted = self.both(lambda work, k: work.finish(RENDER, tokens[k], reports))
            for one in accepted:
                assert self.given[self.newest[one]] is grant, "a stale token has changed something"
                if one not in before:
                    self.ends[one] += 1

    @rule(names=some_names)
    def leave(self, names: list[str]) -> None:
        ids = [f"{self.generation}/{name}" for name in names]
        self.both(lambda work, _: work.leave(RENDER, ids))

    @rule(which=grants)
    def renew(self, which: int) -> None:
        if (grant := self.grant(which)) is not None:
            self.both(lambda work, k: work.renew(RENDER, grant[1], grant[0][k]))

    @rule()
    def die(self) -> None:
        for desk in self.desks:
            desk.expire()

    @rule(name=st.sampled_from(NAMES))
    def kill_its_workers(self, name: str) -> None:
        one = f"{self.generation}/{name}"
        if one not in self.both(lambda work, _: work.unclaimed(RENDER, [one])):
            return
        verdicts = []
        for _ in range(MOST_ATTEMPTS + 1):
            self.lease([name], self.generation)
            tokens = self.given[-1][0]
            verdicts.append(self.both(lambda work, k, tokens=tokens: work.begin(RENDER, [one], tokens[k], alone=True)))
            self.die()
        assert verdicts[-1] == ("quarantined",)
        assert origin_of(one) == name

    @invariant()
    def nothing_is_lost_and_nothing_ends_twice(self) -> None:
        ids = [f"{generation}/{name}" for generation in (1, 2) for name in NAMES]
        self.both(lambda work, _: work.unclaimed(RENDER, ids))
        self.both(lambda work, _: dict(work.returned(RENDER)))
        self.both(lambda work, _: work.in_hand(RENDER))
        self.both(lambda work, _: work.unknown(RENDER, ids))
        outcomes = self.both(lambda work, _: dict(work.outcomes(RENDER, ids)))
        assert isinstance(outcomes, dict)
        assert set(outcomes) == {one for one in self.ends if generation_of(one) == self.generation}
        assert set(self.ends.values()) <= {1}
        assert len(self.desks[0].events()) == len(self.desks[1].events()) == self.ends.total()


def test_any_order_of_calls(redis: Redis) -> None:
    Workers.server = redis
    checked = settings(max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Workers, settings=checked)
