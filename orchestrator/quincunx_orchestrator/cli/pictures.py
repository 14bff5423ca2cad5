"""`--picture FILE.png`: the rendered song as a page. Drawing needs the extra `picture`; nothing is rendered for it."""

from __future__ import annotations

import io
from importlib.util import find_spec
from pathlib import Path

from quincunx_orchestrator.cli.job import Job, check_output, report_of
from quincunx_orchestrator.render_result import RenderResult
from quincunx_shared.errors import BadInput, QuincunxError


def check_picture(path: Path) -> None:
    """Refuse a picture that could not be drawn or written, before anything is rendered."""
    if path.suffix.lower() != ".png":
        raise BadInput("the name of a picture must end in .png", where=f"--picture {path}")
    check_output(path)
    if find_spec("matplotlib") is None:
        raise QuincunxError(
            "drawing needs matplotlib, which is not installed",
            where=f"--picture {path}",
            remedy="pip install 'quincunx[picture]', or pip install matplotlib",
        )


def picture_of(job: Job, result: RenderResult, sound: bytes, song: Path) -> bytes:
    """Return the page of a rendered song: PNG. What was sung comes from the cache; phrases that failed stay empty."""
    import soundfile

    from quincunx_orchestrator.picture.fonts import Fonts
    from quincunx_orchestrator.picture.page import lay_out
    from quincunx_orchestrator.picture.painter import png_of
    from quincunx_orchestrator.picture.reading import Sound, ports_of, read_sheet

    ports = ports_of(job.assembly, {segment for segment, _ in result.failed}, job.studio.operators)
    sung = job.studio.render(job.assembly, ports).payloads if ports else {}
    samples, rate = soundfile.read(io.BytesIO(sound), dtype="float32", always_2d=True)
    fonts = Fonts()
    title = getattr(job.score, "name", "") or song.stem
    sheet = read_sheet(
        title, job.score, job.assembly, sung, Sound(samples.T, rate, report_of(result)), job.studio.operators
    )
    return png_of(lay_out(sheet.legible(fonts.covers)), fonts)
