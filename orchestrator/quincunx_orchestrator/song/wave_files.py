"""The recordings of a song, read off the disk: only what lies beside the song, and only where its track is heard."""

from __future__ import annotations

import io
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath

from quincunx_orchestrator.score.model import Score, WavePart
from quincunx_shared.errors import BadInput

#: An hour of stereo at 24 bits is as large.
SIZE_LIMIT = 1_000_000_000

#: Half an hour of stereo at 44.1 kHz: as float32, what a mix has room for.
SAMPLE_LIMIT = 160_000_000

#: An hour of stereo over all recordings of a song, which the mix holds at once.
TOTAL_SAMPLES = 2 * SAMPLE_LIMIT

_RATES = range(1000, 384_001)
_CHANNELS = (1, 2)
_SHOWN_LENGTH = 80


@dataclass(frozen=True)
class WaveFile:
    """A recording as its file has it, and what its header tells."""

    content: bytes
    rate: int
    frames: int
    channels: int = 1

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.frames / self.rate


@dataclass(frozen=True)
class Waves:
    """The recordings of a song by the number of their wave part; `notices` say which are not mixed, and why."""

    files: Mapping[int, WaveFile] = field(default_factory=dict)
    notices: tuple[str, ...] = ()


def read_waves(score: Score, folder: Path) -> Waves:
    """Read the recordings of the tracks that are heard; `folder` is where the song lies.

    One that is missing, or lies outside of the folder however its path is spelled, is left out with a notice: a song
    file from elsewhere must not choose what is read. One that is damaged raises `BadInput`.
    """
    files: dict[int, WaveFile] = {}
    opened: dict[Path, WaveFile] = {}
    notices = []
    samples = 0
    heard = score.open_tracks()
    for number, part in enumerate(score.wave_parts):
        if part.track in heard:
            path = _beside(part, folder)
            if isinstance(path, str):
                notices.append(f"wave part {_shown(part)} is not mixed: {path}")
                continue
            # A loop is one file that lies in many places.
            files[number] = opened[path] = opened.get(path) or _opened(path)
            samples += files[number].frames * files[number].channels
            if samples > TOTAL_SAMPLES:
                what = f"with this one the recordings have more than {TOTAL_SAMPLES:,} samples, an hour of stereo"
                raise BadInput(what, where=f"wave_parts[{number}]", remedy="mix some of them into one file")
    return Waves(files, tuple(notices))


def unread(score: Score) -> Waves:
    """What is known of the recordings of a song where nobody can say where it lies."""
    count = len(score.wave_parts)
    said = f"{count} wave part{'s are' if count != 1 else ' is'} not mixed: the song has no folder of its own"
    return Waves({}, (said,) if count else ())


def _beside(part: WavePart, folder: Path) -> Path | str:
    """Return the file of a wave part, or why it is left out."""
    written = part.path.replace("\\", "/")
    if not written:
        return "it names no file"
    if PurePosixPath(written).is_absolute() or PureWindowsPath(part.path).drive:
        return "its path does not begin at the song; copy the file beside the song"
    try:
        home = folder.resolve()
        path = (home / written).resolve()
        if not path.is_relative_to(home):
            return "it lies outside of the song's folder; copy the file beside the song"
        told = path.stat()
    except (OSError, ValueError) as error:
        return f"it cannot be read ({error.strerror if isinstance(error, OSError) else error})"
    if not stat.S_ISREG(told.st_mode):
        return "it is no file"
    if told.st_size > SIZE_LIMIT:
        return f"it has {told.st_size / 1e6:.0f} MB, more than {SIZE_LIMIT / 1e6:.0f} MB"
    return path


def _opened(path: Path) -> WaveFile:
    """Read a file, and refuse a header that cannot be true before anything is computed with it."""
    import soundfile  # imported here: most songs have no recordings

    try:
        content = path.read_bytes()
        header = soundfile.info(io.BytesIO(content))
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", where=str(path)) from error
    except RuntimeError as error:
        # Its own words, without the name of the buffer it was read from.
        reason = getattr(error, "error_string", type(error).__name__)
        raise BadInput(
            f"this is no sound file we read: {reason}", where=str(path), remedy="export it as WAV"
        ) from error
    if header.samplerate not in _RATES:
        raise BadInput(f"its header tells a sample rate of {header.samplerate} Hz", where=str(path))
    if header.channels not in _CHANNELS:
        what = f"it has {header.channels} channels; mono and stereo are mixed"
        raise BadInput(what, where=str(path), remedy="mix it down to stereo")
    if not 0 < header.frames * header.channels <= SAMPLE_LIMIT:
        what = f"its header tells {header.frames} samples, and 1 to {SAMPLE_LIMIT // header.channels:,} are mixed"
        raise BadInput(what, where=str(path), remedy="export it again, or cut it")
    return WaveFile(content, header.samplerate, header.frames, header.channels)


def _shown(part: WavePart) -> str:
    return repr((part.path or part.name)[:_SHOWN_LENGTH])
