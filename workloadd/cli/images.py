"""`workloadctl images`: the images that workloads use."""

import json

import click

from workloadd.cli import client, owner
from workloadd.cli import output as output_


@click.command()
@output_.option
@click.option("--digests", is_flag=True, help="Show digests, in place of who uses an image.")
@client.options
def images(output: str, digests: bool, url: str | None, unix: str | None) -> None:
    """Show the images that workloads use, or that were pulled for them: what for, and how large.

    After a workload stands the deployment that has the image: current, next, previous or older;
    file where its file names it and no deployment has it. Images of others are not shown. What is
    unused goes after a while, or with workloadctl prune. Only the user whose workloads they are is
    told, and root at that user's socket.

    Exit status: 0, or 1 where it cannot be found out.
    """
    answer = owner.owner_get("/v1/images", url, unix, "images")
    document = json.loads(answer.text)
    if output == "table":
        for line in _table(document["images"], digests):
            click.echo(line)
    else:
        output_.show(document, output)


def _table(images: list[client.Document], digests: bool) -> list[str]:
    from workloadd.api.words import Column, columns
    from workloadd.core.room import size_text

    if not images:
        return ["no images: no workload uses any"]
    heads = (Column("IMAGE"), Column("SIZE"), Column("DIGEST" if digests else "USED BY"))
    rows = [
        (
            ", ".join(one["names"]) or one["id"][:12],
            size_text(one["size"]),
            (one["digest"] or "-") if digests else _used(one),
        )
        for one in images
    ]
    # Names and digests are there to be copied: nothing is cut.
    return columns(heads, rows)


def _used(image: client.Document) -> str:
    uses = [
        f"{'/'.join(filter(None, (use['workload'], use['container'])))} ({use['role']})"
        for use in image["uses"]
    ]
    return ", ".join(uses) or ("nobody (prunable)" if image["prunable"] else "nobody")
