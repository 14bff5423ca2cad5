"""`quincunx steps`: what can be computed here."""

from __future__ import annotations

import json

import click

from quincunx_orchestrator.cli.documents import json_option


@click.command("steps", short_help="List the steps and their manifests.")
@click.argument("name", required=False)
@json_option
def command(name: str | None, as_json: bool) -> int:
    """List the installed steps, or show the manifest of the step NAME."""
    from quincunx_orchestrator.embedded import installed_steps, manifests_of
    from quincunx_shared.errors import BadInput
    from quincunx_shared.hints import did_you_mean

    registry = installed_steps()
    manifests = manifests_of(registry.found)
    if name is not None and name not in manifests:
        raise BadInput(f"there is no step {name!r}{did_you_mean(name, manifests)}")
    chosen = {name: manifests[name]} if name else manifests
    for plugin, problem in registry.problems.items():
        click.echo(f"Left out: the plug-in {plugin}: {problem}", err=True)
    if as_json:
        documents = [manifest.model_dump(mode="json") for manifest in chosen.values()]
        click.echo(json.dumps({"schema": 1, "steps": documents}, ensure_ascii=False))
        return 0
    if name:
        from quincunx_orchestrator.cli.manifest_text import manifest_lines

        click.echo("\n".join(manifest_lines(manifests[name])))
        return 0
    width = max(len(one) for one in chosen)
    for manifest in chosen.values():
        flow = f"{_ports(manifest.inputs)} → {_ports(manifest.outputs)}"
        click.echo(f"{manifest.name:{width}}  {manifest.version:>2}  {manifest.device:3}  {flow}")
    return 0


def _ports(ports: tuple[object, ...]) -> str:
    return ", ".join(str(getattr(port, "name", port)) for port in ports)
