"""Started by `front_door`: a process that has imported the command line, and forks a child for every command.

A line of JSON in, `[arguments, folder, environment, humble]`; a line of JSON out, `[exit code, seconds of CPU,
peak bytes]`. What the command says goes to files `out` and `err` beside its folder. The child that runs a command is
as fresh as a new process, without the half second of imports; its peak is its own.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import traceback
from pathlib import Path

#: Ends a command that waits for something that never comes.
STUCK_SECONDS = 60


def _run(arguments: list[str], folder: str, environment: dict[str, str], humble: bool) -> None:
    from quincunx_orchestrator.cli.main import main

    for stream, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(f"{folder}.{name}", os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.chdir(folder)
    os.environ.update(environment)
    if humble and os.geteuid() == 0:
        _obey_rights()
    signal.alarm(STUCK_SECONDS)
    sys.argv = ["quincunx", *arguments]
    main()


def _obey_rights() -> None:
    """Give up root's right to read and write what it may not, and nothing else.

    Becoming another user would not do: the interpreter itself may lie where only its owner can read it.
    """
    if sys.platform != "linux":
        os.setgroups([])
        os.setuid(65534)
        return
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    # capability.h: version 3, this process; then effective, permitted and inheritable, twice 32 bits each.
    header, sets = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    overriding = 1 << 1 | 1 << 2  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    if libc.capget(header, sets):
        raise OSError(ctypes.get_errno(), "capget")
    sets[0] &= ~overriding
    sets[1] &= ~overriding
    if libc.capset(header, sets):
        raise OSError(ctypes.get_errno(), "capset")


def _child(request: list[object], report: int) -> None:
    code = 70
    try:
        _run(*request)  # type: ignore[arg-type]
    except SystemExit as ending:
        code = ending.code if isinstance(ending.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        used = resource.getrusage(resource.RUSAGE_SELF)
        status = Path("/proc/self/status")
        peak = int(status.read_text().split("VmHWM:")[1].split()[0]) * 1024 if status.exists() else used.ru_maxrss
        os.write(report, json.dumps([code, used.ru_utime + used.ru_stime, peak]).encode())
        os._exit(code)


def serve() -> None:
    """Answer until the input ends."""
    import quincunx_orchestrator.cli.job
    import quincunx_orchestrator.cli.telling  # noqa: F401 - imported for the children

    for line in sys.stdin:
        answered, report = os.pipe()
        child = os.fork()
        if not child:
            os.close(answered)
            _child(json.loads(line), report)
        os.close(report)
        with os.fdopen(answered) as answers:
            told = answers.read()
        _, status = os.waitpid(child, 0)
        print(told or json.dumps([os.waitstatus_to_exitcode(status), 0.0, 0]), flush=True)


if __name__ == "__main__":
    serve()
