"""The bank on disk: DiffSinger's layout, with dictionaries, and models that are all formulas."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from quincunx_workers.demo_voice import duration, kana, mel_layout, melody, speakers
from quincunx_workers.demo_voice.acoustic import GENDER_SEMITONES, acoustic_model
from quincunx_workers.demo_voice.articulation import Phone
from quincunx_workers.demo_voice.phones import LANGUAGES, PAUSES, vocabulary
from quincunx_workers.demo_voice.speakers import SPEAKERS
from quincunx_workers.demo_voice.vocoder import vocoder_model
from quincunx_workers.singing import pinyin

NAME: Final = "Quincunx Demo"
VERSION: Final = "1.2"

_README: Final = """\
# Quincunx Demo

A singing voice made of formulas, in DiffSinger's ONNX layout: English, Japanese and Mandarin; a female and a male
singer, and one with a singer's formant. Nothing in it was trained or recorded. It is written by
`python -m quincunx_workers.demo_voice OUT_DIR`; do not edit it by hand.

Licence: CC0 1.0 (https://creativecommons.org/publicdomain/zero/1.0/). The bank, and everything sung with it, is
free for any use.
"""

_MEL: Final[Mapping[str, Any]] = {
    "sample_rate": mel_layout.SAMPLE_RATE,
    "hop_size": mel_layout.HOP_SIZE,
    "win_size": mel_layout.WIN_SIZE,
    "fft_size": mel_layout.FFT_SIZE,
    "num_mel_bins": mel_layout.MEL_BINS,
    "mel_fmin": int(mel_layout.MEL_FMIN_HZ),
    "mel_fmax": int(mel_layout.MEL_FMAX_HZ),
    "mel_base": "e",
    "mel_scale": "slaney",
}

_PITCH: Final = {"predict_dur": False, "use_expr": True, "use_note_rest": False, "use_continuous_acceleration": True}


def write_bank(folder: Path) -> None:
    """Write every file of the bank under ``folder``, over those of an earlier build."""
    for name, content in bank_files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def bank_files() -> dict[str, bytes]:
    """Content of every file by its path within the bank; the same on every machine."""
    phones = vocabulary()
    return {
        "README.md": _README.encode(),
        "character.txt": f"name={NAME}\nauthor=Quincunx\nvoice=formulas\nversion={VERSION}\n".encode(),
        "character.yaml": _yaml(_character()),
        "dsconfig.yaml": _yaml(_dsconfig()),
        "phonemes.txt": "".join(f"{phone.name}\n" for phone in phones).encode(),
        "dsdict-en.yaml": _yaml(_dictionary("en", {})),
        "dsdict-ja.yaml": _yaml(_dictionary("ja", kana.syllables())),
        "dsdict-zh.yaml": _yaml(_dictionary("zh", pinyin.syllables())),
        **{f"speakers/{name}.emb": speaker.embedding() for name, speaker in SPEAKERS.items()},
        "acoustic.onnx": acoustic_model(phones).SerializeToString(deterministic=True),
        "dsdur/dsconfig.yaml": _yaml(_predictor({"dur": "dur.onnx", "predict_dur": True}, duration.CHANNELS)),
        "dsdur/linguistic.onnx": duration.linguistic_model(phones).SerializeToString(deterministic=True),
        "dsdur/dur.onnx": duration.dur_model().SerializeToString(deterministic=True),
        "dspitch/dsconfig.yaml": _yaml(_predictor({"pitch": "pitch.onnx", **_PITCH}, melody.CHANNELS)),
        "dspitch/linguistic.onnx": melody.linguistic_model(phones).SerializeToString(deterministic=True),
        "dspitch/pitch.onnx": melody.pitch_model().SerializeToString(deterministic=True),
        "dsvocoder/vocoder.yaml": _yaml(_vocoder()),
        "dsvocoder/vocoder.onnx": vocoder_model().SerializeToString(deterministic=True),
    }


def _character() -> dict[str, Any]:
    return {
        "name": NAME,
        "singer_type": "diffsinger",
        "text_file_encoding": "utf-8",
        "author": "Quincunx",
        "version": VERSION,
        "license": "CC0-1.0",
        "subbanks": [
            {"color": "" if name == "clear" else speaker.colour, "suffix": f"speakers/{name}"}
            for name, speaker in SPEAKERS.items()
        ],
    }


def _dsconfig() -> dict[str, Any]:
    return {
        "phonemes": "phonemes.txt",
        "acoustic": "acoustic.onnx",
        "vocoder": "dsvocoder",
        "speakers": [f"speakers/{name}" for name in SPEAKERS],
        "hidden_size": speakers.CHANNELS,
        "use_lang_id": False,
        "use_key_shift_embed": True,
        "use_speed_embed": True,
        "augmentation_args": {
            "random_pitch_shifting": {"range": [-GENDER_SEMITONES, GENDER_SEMITONES]},
        },
        "use_energy_embed": False,
        "use_breathiness_embed": False,
        "use_voicing_embed": False,
        "use_tension_embed": False,
        "use_continuous_acceleration": True,
        "use_variable_depth": False,
        "predict_dur": False,
        "predict_energy": False,
        "predict_breathiness": False,
        **_MEL,
    }


def _predictor(own: Mapping[str, Any], channels: int) -> dict[str, Any]:
    return {
        "phonemes": "../phonemes.txt",
        "linguistic": "linguistic.onnx",
        **own,
        "hidden_size": channels,
        "use_lang_id": False,
        "sample_rate": mel_layout.SAMPLE_RATE,
        "hop_size": mel_layout.HOP_SIZE,
    }


def _vocoder() -> dict[str, Any]:
    return {"name": "quincunx_demo_vocoder", "model": "vocoder.onnx", **_MEL, "pitch_controllable": True}


def _dictionary(language: str, entries: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """Symbols with their types, as every bank has them, and with the natural duration of each.

    ``duration_ms`` is the project's own key: a rule of durations needs it where a bank has no model of them.
    """
    return {
        "symbols": list(_symbols(language)),
        "entries": [
            {"grapheme": grapheme, "phonemes": [f"{language}/{phone}" for phone in phones]}
            for grapheme, phones in entries.items()
        ],
    }


def _symbols(language: str) -> Iterator[dict[str, Any]]:
    for pause in PAUSES[1:]:
        yield _symbol(pause.name, pause)
    for phone in LANGUAGES[language]:
        yield _symbol(f"{language}/{phone.name}", phone)


def _symbol(name: str, phone: Phone) -> dict[str, Any]:
    return {"symbol": name, "type": phone.manner.value, "duration_ms": phone.duration_ms}


def _yaml(content: Mapping[str, Any]) -> bytes:
    return yaml.safe_dump(
        dict(content), allow_unicode=True, sort_keys=False, default_flow_style=None, width=110
    ).encode()
