"""What is told of a bundle that is not run again."""

from __future__ import annotations

from quincunx_shared.errors import QuincunxError
from quincunx_shared.events import StepFailed
from quincunx_shared.farm.wire import outcome_to_json
from quincunx_shared.farm.work_state import MOST_ATTEMPTS, BundleId, Finished
from quincunx_shared.outcome import BundleOutcome
from quincunx_shared.recipe import Bundle


def quarantined(name: BundleId, bundle: Bundle) -> Finished:
    """The outcome of a bundle that ends every worker that begins it."""
    why = str(
        QuincunxError(
            f"its worker died {MOST_ATTEMPTS} times while it ran",
            where=str(bundle.segment),
            remedy="the worker's log says how; `quincunx retry --failed` tries again",
        )
    )
    outcome = BundleOutcome(bundle, failed={task.step.id: why for task in bundle.tasks})
    events = [StepFailed(bundle.segment, task.step.id, why) for task in bundle.tasks]
    return Finished(name, outcome_to_json(outcome), {}, events)
