"""`python -m quincunx_orchestrator.farm.setup`: makes what a farm needs before its first process starts.

Both commands may be run at every start: what is there stays as it is.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from quincunx_shared.errors import QuincunxError
from quincunx_shared.farm.settings import FarmSettings


@click.group()
def main() -> None:
    """Set a farm up."""


@main.command("secrets")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--namespace", default=FarmSettings().namespace, show_default=True, help="The name of the farm.")
@click.option("--bucket", default="quincunx", show_default=True, help="The bucket the roles may use.")
@click.option("--shared", is_flag=True, help="Let every user of the machine or container read the files.")
def make_secrets(folder: Path, namespace: str, bucket: str, shared: bool) -> None:
    """Make the secrets that are missing, and the files of users that Redis and the store read."""
    from quincunx_orchestrator.farm.setup.secret_folder import SecretFolder

    secrets = SecretFolder(folder, 0o444 if shared else 0o400)
    secrets.fill(FarmSettings(namespace=namespace).namespace, bucket)
    for name in secrets.made:
        click.echo(f"made {name}", err=True)


@main.command("bucket")
def make_bucket() -> None:
    """Make the bucket that the settings name, if the store has none."""
    from quincunx_orchestrator.farm.setup.bucket import make_bucket as make
    from quincunx_shared.farm.settings_layers import load_settings

    try:
        made = make(load_settings().settings)
    except QuincunxError as error:
        click.echo(str(error), err=True)
        sys.exit(error.exit_code)
    click.echo("made the bucket" if made else "the bucket is there", err=True)


if __name__ == "__main__":
    main()
