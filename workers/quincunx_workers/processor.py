"""What a processor is called, as far as it decides the last bits of a result."""

from __future__ import annotations

import functools
import platform
import re
import shutil
import subprocess
from pathlib import Path

from quincunx_shared.errors import QuincunxError

#: Kernels are chosen by these at run time, also where a virtual machine hides some of them.
_KERNEL_FLAGS = ("avx", "avx2", "fma", "avx512f", "avx512bw", "avx512_vnni", "avx_vnni", "amx_tile", "asimd", "sve")


@functools.cache
def cpu_family() -> str:
    """Name the processor's maker, family and vector units, for example `x86_64-AuthenticAMD-25-17-avx-avx2-fma`."""
    try:
        described = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:  # no Linux
        return _joined(platform.machine(), platform.processor())
    fields = dict(re.findall(r"^([^\t:]+?)\s*:[ \t]*(.*)$", described.split("\n\n", 1)[0], flags=re.MULTILINE))
    flags = (fields.get("flags") or fields.get("Features") or "").split()
    known = [flag for flag in _KERNEL_FLAGS if flag in flags]
    maker = [
        fields[name] for name in ("vendor_id", "cpu family", "model", "CPU implementer", "CPU part") if name in fields
    ]
    return _joined(platform.machine(), *maker, *known)


@functools.cache
def gpu_family() -> str:
    """Name the graphics processor, for example `NVIDIA_H200`; where several are visible, all of them."""
    command = shutil.which("nvidia-smi")
    if command is None:
        raise QuincunxError(
            "nvidia-smi is not on the path, so nobody can tell which GPU this is",
            remedy="install the NVIDIA driver's tools, or run with --device cpu",
        )
    query = [command, "--query-gpu=name", "--format=csv,noheader"]
    try:
        names = subprocess.run(query, capture_output=True, text=True, check=True, timeout=30)  # noqa: S603 - fixed
    except (OSError, subprocess.SubprocessError) as error:
        raise QuincunxError(
            f"nvidia-smi does not tell which GPU this is: {error}", remedy="check the driver, or use --device cpu"
        ) from error
    return _joined(*sorted(set(names.stdout.strip().splitlines())))


def _joined(*parts: str) -> str:
    return "-".join(re.sub(r"\s+", "_", part.strip()) for part in parts if part.strip())
