"""Help of commands with many flags: in sections, so that a person finds the one that is looked for."""

from __future__ import annotations

from collections.abc import Mapping

import click

#: Section → its flags, by the names of their parameters. A flag may name one itself (`section`); what stands in none
#: comes first, under `Options`.
SECTIONS: Mapping[str, tuple[str, ...]] = {
    "Who sings": ("voice", "voice_for", "strict_voice", "vocoder_dir"),
    "Which take": ("predict", "natural", "seed", "acoustic_seed", "steps", "depth", "takes", "keep", "cut"),
    "The file": ("bits", "rate", "loudness", "true_peak", "reverb", "container"),
    "A part, or more files": ("stretch", "stems", "phrases", "picture", "out_dir"),
    "The job": ("priority", "tags", "idempotency_key", "barrier", "keep_older"),
    "Which farm": ("redis_url", "store", "namespace"),
    "The machine": (
        *("farm", "threads", "device", "cache_dir", "cache_size", "isolate", "isolate_seconds", "isolate_memory"),
        *("model_seconds", "model_memory"),
    ),
}


class SectionedCommand(click.Command):
    """A command whose help has sections."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the flags, section by section."""
        placed = {name: title for title, names in SECTIONS.items() for name in names}
        rows: dict[str, list[tuple[str, str]]] = {"Options": [], **{title: [] for title in SECTIONS}}
        for parameter in self.get_params(ctx):
            row = parameter.get_help_record(ctx)
            if row is not None and isinstance(parameter, click.Option):
                section: str = getattr(parameter, "section", placed.get(parameter.name or "", "Options"))
                rows.setdefault(section, []).append(row)
        for title, told in rows.items():
            if told:
                with formatter.section(title):
                    formatter.write_dl(told)
