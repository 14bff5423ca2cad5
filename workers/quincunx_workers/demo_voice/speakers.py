"""Who the demo voice can be: presets of the tract, as DiffSinger's speaker embeddings. Mixes of them are sung too."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np


@dataclass(frozen=True)
class Speaker:
    """One singer. `colour` is the voice colour under which OpenUTAU lists it."""

    colour: str
    #: 1 raises the formants by five semitones: a shorter tract.
    gender: float = 0.0
    #: 1 draws the fourth and fifth resonance to the third: the cluster by which a singer is heard above an orchestra.
    ring: float = 0.0

    def embedding(self) -> bytes:
        """The speaker's .emb file: float32, little-endian, one value a channel."""
        return np.array([self.gender, self.ring], dtype="<f4").tobytes()


CHANNELS: Final = 2

#: Three semitones down is what the averages of Peterson and Barney's men and women are apart.
SPEAKERS: Final[Mapping[str, Speaker]] = {
    "clear": Speaker("Female"),
    "low": Speaker("Male", gender=-0.6),
    "ring": Speaker("Female, singer's formant", ring=1.0),
}
