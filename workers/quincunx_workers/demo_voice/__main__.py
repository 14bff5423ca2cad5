"""Build the bank: ``python -m quincunx_workers.demo_voice OUT_DIR``."""

from pathlib import Path

import click

from quincunx_workers.demo_voice.bank import write_bank


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def main(folder: Path) -> None:
    """Write the demo voice's bank into FOLDER."""
    write_bank(folder)


if __name__ == "__main__":
    main()
