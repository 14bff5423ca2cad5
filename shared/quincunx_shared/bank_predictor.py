"""A model of a bank that predicts what a person has not drawn, with the linguistic encoder that stands before it.

<bank>/dsvariance/{dsconfig.yaml, linguistic.onnx, variance.onnx}
       dsdur/{…, dur.onnx}  dspitch/{…, pitch.onnx}      read only when somebody asks: banks are sung without
common builders share the encoder and the tables: `linguistic: ../dsmain/linguistic.onnx`
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from quincunx_shared.bank_folder import BankFolder, read_mapping
from quincunx_shared.bank_settings import PredictorSettings, settings_from
from quincunx_shared.bank_tables import Tables, read_tables
from quincunx_shared.errors import BadVoicebank
from quincunx_shared.names import Digest

#: What a model of the bank decides where somebody asks for it, in place of a rule.
Prediction: TypeAlias = Literal["duration", "pitch"]

#: The folder of such a model, and the key of its config that names it.
PREDICTION_FOLDERS: Mapping[Prediction, tuple[str, str]] = {
    "duration": ("dsdur", "dur"),
    "pitch": ("dspitch", "pitch"),
}


@dataclass(frozen=True)
class Predictor:
    """The encoder and the model by digest, what their inputs mean, and the frames they count in."""

    linguistic: Digest
    model: Digest
    tables: Tables
    settings: PredictorSettings

    @property
    def frame_seconds(self) -> float:
        """The length of the frames it counts in."""
        return self.settings.hop_size / self.settings.sample_rate


def load_predictor(
    folder: BankFolder, below: str, model_key: str, register: Callable[[Path], Digest]
) -> Predictor | None:
    """Return the predictor in the folder `below` of a bank, or None where the bank has none.

    `model_key` is the key of its config that names the model: `variance`, `pitch` or `dur`. Raises `BadVoicebank`.
    """
    config = folder.optional(f"{below}/dsconfig.yaml")
    if config is None:
        return None
    document = read_mapping(config)
    settings = settings_from(PredictorSettings, document, where=str(config))
    written = document.get(model_key)
    if not isinstance(written, str):
        raise BadVoicebank(
            f"no {model_key} model is named", where=str(config), remedy=f"write `{model_key}: FILE.onnx`"
        )
    return Predictor(
        register(folder.file(settings.linguistic, below=below, where=f"{config}: linguistic")),
        register(folder.file(written, below=below, where=f"{config}: {model_key}")),
        read_tables(folder, settings, register, below=below),
        settings,
    )
