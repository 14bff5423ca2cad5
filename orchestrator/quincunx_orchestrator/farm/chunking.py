"""How many bundles one message carries: few enough that nobody waits for one worker, many enough to be cheap.

A message costs some milliseconds where it is read and some tens where its last results are stored. So short bundles
travel together, and those that take seconds travel alone. How long they take is known from the steps that ran before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from quincunx_shared.recipe import Bundle

#: A step nobody has measured yet is taken to last so long.
UNKNOWN_SECONDS = 0.01

#: A message is worth so much work: its own cost is then some hundredths.
MESSAGE_SECONDS = 1.0

#: What one worker takes at a time is lost with it, so it is never more than this.
MOST_BUNDLES = 200


def seconds_of(bundle: Bundle, pace: Mapping[str, float]) -> float:
    """How long a bundle is expected to take, from how long each step has taken before."""
    return sum(pace.get(task.step.step, UNKNOWN_SECONDS) for task in bundle.tasks)


def chunks(bundles: Sequence[Bundle], pace: Mapping[str, float], slots: int) -> list[tuple[Bundle, ...]]:
    """Cut bundles into messages, in order, for so many workers.

    Every message holds a fair part of what is left, but no more than it is worth: the first are large, the last are
    small, and all workers end at about the same time (guided self-scheduling, Polychronopoulos and Kuck 1987). The
    bundles of a message belong to one recipe, so that they load the same models.
    """
    left = sum(seconds_of(one, pace) for one in bundles)
    found: list[tuple[Bundle, ...]] = []
    chunk: list[Bundle] = []
    filled = 0.0
    for bundle in bundles:
        fair = min(left / (2 * max(slots, 1)), MESSAGE_SECONDS)
        other = bool(chunk) and chunk[0].recipe != bundle.recipe
        if chunk and (other or filled >= fair or len(chunk) == MOST_BUNDLES):
            found.append(tuple(chunk))
            left, chunk, filled = left - filled, [], 0.0
        chunk.append(bundle)
        filled += seconds_of(bundle, pace)
    return [*found, tuple(chunk)] if chunk else found
