"""What one run of a model may take. A model file is a program, and a stranger's program may never end."""

from __future__ import annotations

from dataclasses import dataclass

#: Time for any run, however short: a cold processor, a slow disk, a machine with other things to do.
SECONDS_ANYWAY = 60.0

#: Time for every frame (12 ms of sound in most banks): twenty times as long as it sounds, which is more than the
#: largest diffusion models take on one old core with the usual twenty steps.
SECONDS_A_FRAME = 0.25


@dataclass(frozen=True, slots=True)
class ModelLimits:
    """`seconds` for a run of any length, 0 for as long as the length allows; `memory_bytes` for all models, 0 for
    no limit. A run of more than `keep_frames` gives its memory back when it ends: it is hundreds of megabytes, and
    may never be needed again. Shorter ones keep theirs for the next, which is faster.
    """

    seconds: float = 0.0
    memory_bytes: int = 0
    keep_frames: int = 4096

    def seconds_for(self, frames: int) -> float:
        """How long a run may take that is fed with this many frames."""
        return self.seconds or SECONDS_ANYWAY + SECONDS_A_FRAME * frames


GENEROUS = ModelLimits()
