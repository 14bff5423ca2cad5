"""What leaves a cache that is too large: as much as has to, the oldest first, and nothing that must stay."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from quincunx_shared.eviction import EMPTIED_TO, HOUR_SECONDS, Aged, evictions
from quincunx_shared.names import Digest

BLOBS = st.lists(
    st.builds(
        Aged,
        st.integers(0, 10**9).map(lambda number: Digest(f"{number:064x}")),
        st.integers(0, 1000),
        st.floats(0, 1e6),
        st.booleans(),
    ),
    unique_by=lambda one: one.digest,
    max_size=30,
)


@given(BLOBS, st.integers(0, 20_000))
def test_the_rest_fits_unless_what_must_stay_does_not(blobs: list[Aged], limit: int) -> None:
    leaving = set(evictions(blobs, limit))
    left = sum(one.size_bytes for one in blobs if one.digest not in leaving)
    staying = {one.digest for one in blobs if one.must_stay}
    assert not leaving & staying
    assert left <= limit or leaving == {one.digest for one in blobs} - staying
    if sum(one.size_bytes for one in blobs) <= limit:
        assert not leaving


@given(BLOBS, st.integers(0, 20_000))
def test_nothing_leaves_before_what_is_an_hour_older(blobs: list[Aged], limit: int) -> None:
    leaving = set(evictions(blobs, limit))
    hours = [one.last_used // HOUR_SECONDS for one in blobs if one.digest in leaving]
    kept = [one.last_used // HOUR_SECONDS for one in blobs if one.digest not in leaving and not one.must_stay]
    assert not hours or not kept or max(hours) <= min(kept)


def test_of_one_hour_the_largest_goes_first_and_no_more_than_has_to() -> None:
    blobs = [Aged(Digest(f"{size:064x}"), size, 1.0 * size) for size in (100, 10, 500, 390)]
    assert evictions(blobs, 1000 * EMPTIED_TO) == (blobs[2].digest,)
    assert evictions(blobs, 1000) == ()
