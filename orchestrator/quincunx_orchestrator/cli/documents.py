"""`--json`: what a command says as a document instead of a sentence.

Imports nothing of ours: commands that only ask need not load what renders.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document on standard output.")


def answer(document: Mapping[str, Any], sentence: str, *, as_json: bool) -> None:
    """Print the document on standard output, or else say the sentence on standard error."""
    if as_json:
        click.echo(json.dumps({"schema": 1, **document}, ensure_ascii=False))
    else:
        click.echo(sentence, err=True)
