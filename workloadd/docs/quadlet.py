"""Where each key of Quadlet is in a workload file, as a page for those who come from there."""

from collections.abc import Iterator

from workloadd.spec.quadlet import KINDS, SECTIONS, Place, Why

_HEAD = """\
# From Quadlet to workload files

Every key that Quadlet (podman-systemd.unit(5)) has for containers, pods, networks, volumes, images,
artifacts and Kubernetes manifests, and the field that says the same, or why there is none and what
to do in its place. `workloadctl explain FIELD` tells more of a field; [the reference](reference.md)
has them all. Keys of `[Build]` are not here: images are built elsewhere.

Sections of systemd's own (`[Unit]`, `[Service]`, `[Install]`) have no keys in a workload file: the
unit is generated.
"""


def markdown() -> str:
    """The whole document."""
    return "\n".join([_HEAD, *_sections()])


def _sections() -> Iterator[str]:
    for section, keys in SECTIONS.items():
        kind = KINDS.get(section)
        of = f" (`kind: {kind}`)" if kind else ""
        yield f"## [{section}]{of}\n"
        yield "| Quadlet | Workload file |"
        yield "|---|---|"
        for key in sorted(keys):
            yield f"| `{key}` | {_said(keys[key])} |"
        yield ""


def _said(place: Place) -> str:
    if isinstance(place, Why):
        return f"– {place.reason}"
    return ", ".join(f"`{path}`" for path in place)
