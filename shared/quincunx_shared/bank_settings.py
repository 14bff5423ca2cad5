"""What a bank's dsconfig.yaml and vocoder.yaml say, checked and typed.

Values arrive as text (see `strict_yaml`). Keys of other programs and other versions are ignored: exporters write
dozens, and which inputs a model really has is read from the model, never from the `use_…` flags.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from quincunx_shared.errors import BadVoicebank

MelBase = Literal["e", "10"]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Number = Annotated[float, Field(allow_inf_nan=False)]

#: Fields in which an acoustic model and its vocoder must agree; their bases may differ and are converted.
_AGREED = ("sample_rate", "hop_size", "win_size", "fft_size", "num_mel_bins", "mel_fmin", "mel_fmax", "mel_scale")

SettingsT = TypeVar("SettingsT", bound="Settings")


class Settings(BaseModel):
    """Base: frozen; text is read as the declared type; unknown keys are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())


class MelSettings(Settings):
    """The layout of a mel spectrogram. Old banks leave most of it out and mean these defaults."""

    sample_rate: Count = 44100
    hop_size: Count = 512
    win_size: Count = 2048
    fft_size: Count = 2048
    num_mel_bins: Count = 128
    mel_fmin: Number = 40.0
    mel_fmax: Number = 16000.0
    mel_base: MelBase = "10"
    mel_scale: str = "slaney"


class PitchShifting(Settings):
    """How far in semitones the voice was shifted in training: what gender -1 and +1 mean."""

    range: tuple[Number, Number] = (-5.0, 5.0)


class Augmentation(Settings):
    """What training did to the recordings."""

    random_pitch_shifting: PitchShifting = PitchShifting()


class VocabularySettings(Settings):
    """Where a config file says that the tables of its model lie."""

    phonemes: str = "phonemes.txt"
    languages: str = ""
    speakers: tuple[str, ...] = ()
    hidden_size: Count = 256
    use_lang_id: bool = False


class PredictorSettings(VocabularySettings):
    """dsconfig.yaml of a model that predicts."""

    linguistic: str
    sample_rate: Count = 44100
    hop_size: Count = 512


class AcousticSettings(MelSettings, VocabularySettings):
    """dsconfig.yaml of the bank itself."""

    acoustic: str
    vocoder: str = ""
    use_continuous_acceleration: bool = False
    max_depth: Number | None = None
    augmentation_args: Augmentation = Augmentation()

    @property
    def depth_limit(self) -> float:
        """The largest diffusion depth, 0 to 1. Banks without continuous acceleration count it in thousandths."""
        if self.max_depth is None:
            return 1.0
        limit = self.max_depth if self.use_continuous_acceleration else self.max_depth / 1000
        return min(max(limit, 0.0), 1.0)


class VocoderSettings(MelSettings):
    """vocoder.yaml."""

    name: str = ""
    model: str = "model.onnx"
    pitch_controllable: bool = False


def settings_from(kind: type[SettingsT], document: Mapping[str, object], *, where: str) -> SettingsT:
    """Return a checked document, or raise `BadVoicebank` that names every wrong key and what is allowed."""
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        wrong = error.errors(include_url=False)
        problems = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in wrong)
        raise BadVoicebank(problems, where=where) from error


def check_agreement(acoustic: MelSettings, vocoder: MelSettings, *, where: str) -> None:
    """Raise `BadVoicebank` where a vocoder expects other spectrograms than the acoustic model makes."""
    unlike = [key for key in _AGREED if getattr(acoustic, key) != getattr(vocoder, key)]
    if unlike:
        told = ", ".join(f"{key} {getattr(vocoder, key)} (bank: {getattr(acoustic, key)})" for key in unlike)
        raise BadVoicebank(f"this vocoder does not fit the bank: {told}", where=where, remedy="use the bank's own")
