"""The description of all settings, made from their models."""

from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from workloadd.settings.model import Settings

_HEAD = """\
# Settings of workloadd

All settings have a default, so no file is needed. What differs is written into `workloadd.toml` or
a drop-in `workloadd.conf.d/NAME.toml`, in any of these directories, the weakest first:

1. `/usr/lib/workloadd` – from packages and images
2. `/etc/workloadd` – the administrator's
3. `/run/workloadd` – until the next boot
4. `~/.config/workloadd` – the workloads' user's own
5. `/etc/workloadd/users/USER` – the administrator's, for one user

A file replaces the file of the same name in a weaker directory as a whole; a link to `/dev/null`
masks it. Then `workloadd.toml` is read, and over it the drop-ins in the order of their names,
whatever directories they are in: of two that set the same key the last one counts. An unknown key
or a wrong value keeps the daemon from starting, with the file and line in its log.

Durations are written as `100ms`, `5s`, `1m30s`, `2h`; a bare number is seconds.
"""


def markdown() -> str:
    """The whole document."""
    return "\n".join([_HEAD, *(_section(name, f) for name, f in Settings.model_fields.items())])


def _section(name: str, field: FieldInfo) -> str:
    model = field.annotation
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        raise TypeError(f"{name} is not a table of settings")
    defaults = model().model_dump(mode="json")
    rows = [_row(key, f, defaults[key]) for key, f in model.model_fields.items()]
    table = "\n".join(["| key | default | meaning |", "|---|---|---|", *rows])
    return f"## `[{name}]`\n\n{model.__doc__}\n\n{table}\n"


def _row(key: str, field: FieldInfo, default: Any) -> str:
    # A computed default differs from host to host; the description says how it is made.
    shown = "" if field.default_factory else f"`{_toml(default)}`"
    return f"| `{key}` | {shown} | {field.description} |"


def _toml(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
