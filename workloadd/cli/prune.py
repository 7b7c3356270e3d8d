"""`workloadctl prune`: remove images that no workload needs any more."""

import json

import click

from workloadd.cli import client
from workloadd.cli import output as output_
from workloadd.core.room import size_text


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@output_.option
@click.option("--socket", "unix", help="Ask at this Unix socket.")
@click.pass_context
def prune(ctx: click.Context, dry_run: bool, output: str, unix: str | None) -> None:
    """Remove images that were pulled for workloads and that nothing needs any more.

    The daemon does so by itself, once an image has been unused for a while (prune.keep in its
    settings); here all that is unused goes at once. Other images are never touched: what was
    there before, has another name, is built upon, or is used by any container.

    Exit status: 0, or 1 where nothing may be removed just now.
    """
    answer = client.post(f"/v1/prune?dry_run={str(dry_run).lower()}", unix)
    if answer.status >= 400:
        click.echo(f"Error: {client.problem(answer)[1]}", err=True)
        ctx.exit(1)
    document = json.loads(answer.text)
    if output != "table":
        output_.show(document, output)
        return
    for image in document["images"]:
        named = ", ".join(image["names"]) or image["id"][:12]
        click.echo(f"{named}  {size_text(image['size'])}")
    done = "would be removed" if dry_run else "removed"
    count = len(document["images"])
    what = "1 image" if count == 1 else f"{count or 'no'} images"
    click.echo(f"{what} {done}, {size_text(document['size'])}" if count else f"{what} {done}")
