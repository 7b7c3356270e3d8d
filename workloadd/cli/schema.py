"""`workloadctl schema`: the JSON Schema of workload files, for editors."""

import click

from workloadd.spec.schema import schema_text

_EXAMPLES = """\b
For editors that speak to yaml-language-server:
  workloadctl schema > ~/.config/workload.schema.json
and at the top of a workload file:
  # yaml-language-server: $schema=/home/me/.config/workload.schema.json
"""


@click.command(epilog=_EXAMPLES)
def schema() -> None:
    """Print the JSON Schema (draft 2020-12) of workload files."""
    click.echo(schema_text(), nl=False)
