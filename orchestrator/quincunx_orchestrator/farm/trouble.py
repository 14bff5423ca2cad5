"""What becomes of a job whose attempt was interrupted by an error: it is tried again later, or has failed. Pure.

What is wrong with an order is wrong for every coordinator. A server that is away comes back, and nothing accepted is
lost to an outage of a night; whatever else may pass, an error of ours included, is tried a hundred times.
"""

from __future__ import annotations

from quincunx_orchestrator.farm.job import Claim
from quincunx_orchestrator.farm.order_form import UnknownForm
from quincunx_shared.errors import BlobsLost, FarmError, QuincunxError, StoreError, StoreUnreachable

#: A server is waited for so long.
AWAY_SECONDS = 86_400.0

#: An attempt at a job is made no more often in a row.
MOST_TROUBLES = 100

#: Longer than this nobody waits until the next attempt.
MOST_DELAY_SECONDS = 60.0


def may_pass(error: Exception, claim: Claim) -> bool:
    """Whether another attempt may come through."""
    if isinstance(error, StoreUnreachable | FarmError | UnknownForm):
        return claim.troubled_seconds < AWAY_SECONDS
    if isinstance(error, QuincunxError) and (isinstance(error, BlobsLost) or not isinstance(error, StoreError)):
        return False
    return claim.troubles < MOST_TROUBLES


def delay_seconds(claim: Claim) -> float:
    """How long to wait with the next attempt: a second, then two, four and so on."""
    return float(min(2.0 ** min(claim.troubles, 10), MOST_DELAY_SECONDS))
