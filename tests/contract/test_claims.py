"""Claims between processes, and the flights that stand on them: who waits, for how long, and what they then find."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from quincunx_shared.names import Signature
from quincunx_shared.stores.claims import Claims
from quincunx_workers.shared_flights import SharedFlights

ONE, OTHER = (Signature(sha256(name).hexdigest()) for name in (b"one", b"other"))

PATIENCE = 30.0

#: A process that claims what it is told and says so, until its input ends.
_CLAIMER = (
    "import sys; from pathlib import Path; from quincunx_shared.stores.claims import Claims\n"
    "claims = Claims(Path(sys.argv[1]))\n"
    "print(*(claims.take(name) for name in sys.argv[2:]), flush=True)\n"
    "for line in sys.stdin: claims.give_back(line.split()); print('gave', flush=True)\n"
)


@contextmanager
def claimer(path: Path, *names: Signature) -> Iterator[subprocess.Popen[str]]:
    """Another process that has claimed these."""
    command = [sys.executable, "-c", _CLAIMER, str(path), *names]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().split() == ["True"] * len(names)
            yield process
        finally:
            process.kill()


def give_back(process: subprocess.Popen[str], name: Signature) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{name}\n")
    process.stdin.flush()
    assert process.stdout.readline() == "gave\n"


@pytest.fixture
def claims(tmp_path: Path) -> Iterator[Claims]:
    with closing(Claims(tmp_path / "claims.lock")) as opened:
        yield opened


def test_what_another_process_has_claimed_is_not_to_be_had_and_all_else_is(claims: Claims, tmp_path: Path) -> None:
    with claimer(tmp_path / "claims.lock", ONE) as other:
        assert not claims.take(ONE)
        assert claims.take(OTHER)
        give_back(other, ONE)
        assert claims.take(ONE)


def test_a_process_that_is_killed_has_claimed_nothing(claims: Claims, tmp_path: Path) -> None:
    with claimer(tmp_path / "claims.lock", ONE) as other:
        assert not claims.nobody_else() or not claims.take(ONE)
        other.kill()
        other.wait()
        assert claims.take(ONE)
        assert claims.nobody_else()


def test_processes_know_of_each_other_from_their_first_claim_on(claims: Claims, tmp_path: Path) -> None:
    assert claims.nobody_else()
    with claimer(tmp_path / "claims.lock", ONE):
        assert not claims.nobody_else()
        assert not claims.nobody_else(), "asking changes nothing"


def test_where_no_file_can_be_made_everybody_gets_every_claim(tmp_path: Path) -> None:
    with closing(Claims(tmp_path / "no folder" / "claims.lock")) as claims:
        assert claims.take(ONE)
        assert claims.nobody_else()
        claims.give_back([ONE])


def test_a_flight_waits_until_the_other_process_gives_its_claim_back(claims: Claims, tmp_path: Path) -> None:
    entered = threading.Event()
    flights = SharedFlights(claims, lambda: None)

    def fly() -> None:
        with flights.alone(ONE):
            entered.set()

    with claimer(tmp_path / "claims.lock", ONE) as other:
        thread = threading.Thread(target=fly)
        thread.start()
        assert not entered.wait(0.05)
        give_back(other, ONE)
        assert entered.wait(PATIENCE)
        thread.join()


def test_a_flight_does_not_wait_forever_for_a_process_that_hangs(claims: Claims, tmp_path: Path) -> None:
    flights = SharedFlights(claims, lambda: None, patience_seconds=0.05)
    with claimer(tmp_path / "claims.lock", ONE), flights.alone(ONE):
        pass


def test_claims_are_kept_until_what_was_computed_can_be_found_by_everybody(claims: Claims, tmp_path: Path) -> None:
    heard: list[str] = []
    flights = SharedFlights(claims, lambda: heard.append("flushed"))
    with flights.alone(ONE):
        pass
    assert heard == [], "alone on the cache, nobody waits for a flush"
    with claimer(tmp_path / "claims.lock", OTHER) as other:
        assert asked(other.args, ONE) == ["False"], "ended, and not landed"
        flights.land()
        assert heard == ["flushed"]
        assert asked(other.args, ONE) == ["True"]


def test_who_waits_has_landed_what_others_may_be_waiting_for(claims: Claims, tmp_path: Path) -> None:
    flushed = threading.Event()
    flights = SharedFlights(claims, flushed.set)
    with flights.alone(ONE):
        pass
    with claimer(tmp_path / "claims.lock", OTHER) as other:
        thread = threading.Thread(target=lambda: flights.alone(OTHER).__enter__())
        thread.start()
        assert flushed.wait(PATIENCE)
        give_back(other, OTHER)
        thread.join()


def test_a_flight_that_fails_leaves_nothing_to_wait_for(claims: Claims, tmp_path: Path) -> None:
    def never() -> None:
        raise AssertionError("nothing was stored")

    flights = SharedFlights(claims, never)
    with pytest.raises(ValueError, match="sour"), flights.alone(ONE):
        raise ValueError("sour")
    flights.land()
    with claimer(tmp_path / "claims.lock", ONE):
        pass


def asked(command: object, name: Signature) -> list[str]:
    """What a third process is told that claims it now."""
    assert isinstance(command, list)
    path = command[3]
    told = subprocess.run(
        [sys.executable, "-c", _CLAIMER, path, name], input="", capture_output=True, text=True, check=True
    )
    return told.stdout.split()
