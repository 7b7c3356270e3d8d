"""Settings in three stages: fragments (one file each) → inputs (merged) → settings (validated).

Files: `workloadd.toml` and then `workloadd.conf.d/*.toml`, each from the strongest root that has a
file of that name (`Paths.config_roots`, the weakest first), so that a file replaces its namesake
in a weaker root, and a link to /dev/null masks it. The drop-ins are merged over the main file in
the order of their names, whatever their roots, key by key; the last one to set a key wins.
"""

import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from workloadd.core.errors import Permanent
from workloadd.settings.explain import explain, explain_syntax
from workloadd.settings.model import Settings
from workloadd.settings.paths import Paths

MAIN = "workloadd.toml"
DROP_INS = "workloadd.conf.d"
_MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Fragment:
    """What one file sets: valid by itself, and any part of it may be missing."""

    path: Path
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Inputs:
    """All fragments merged. `files` are those that took part, the weakest first."""

    values: Mapping[str, Any]
    files: tuple[Path, ...]


def load_settings(paths: Paths) -> Settings:
    """Read, merge and check the settings; blocks. Raises `Permanent` that tells every error."""
    fragments: list[Fragment] = []
    errors: list[str] = []
    for path in settings_files(paths.config_roots):
        try:
            fragments.append(read_fragment(path))
        except _InvalidError as invalid:
            errors += invalid.errors
    if errors:
        raise _refusal(errors)
    return to_settings(merge(fragments))


def settings_files(roots: Iterable[Path]) -> list[Path]:
    """The files to read, in the order in which they are merged."""
    main: dict[str, Path] = {}
    drop_ins: dict[str, Path] = {}
    for root in roots:
        if os.path.lexists(root / MAIN):
            main[MAIN] = root / MAIN
        drop_ins |= {name: root / DROP_INS / name for name in _toml_names(root / DROP_INS)}
    ordered = [*main.values(), *(drop_ins[name] for name in sorted(drop_ins))]
    return [path for path in ordered if not _masked(path)]


def read_fragment(path: Path) -> Fragment:
    """Parse and check one file; raises `_InvalidError` with every error of it."""
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise _InvalidError([f"{path}: cannot read it: {error.strerror}"]) from None
    if len(data) > _MAX_BYTES:
        raise _InvalidError([f"{path}: cannot read it: it is larger than 1 MiB"])
    try:
        text = data.decode()
        model = Settings.model_validate(tomllib.loads(text))
    except UnicodeDecodeError as error:
        raise _InvalidError([f"{path}: cannot read it: byte {error.start} is not UTF-8"]) from None
    except tomllib.TOMLDecodeError as error:
        raise _InvalidError([explain_syntax(path, error)]) from None
    except ValidationError as error:
        raise _InvalidError(explain(path, text, error)) from None
    return Fragment(path, model.model_dump(exclude_unset=True))


def merge(fragments: Iterable[Fragment]) -> Inputs:
    """Lay the fragments over each other, key by key."""
    values: dict[str, dict[str, Any]] = {}
    files: list[Path] = []
    for fragment in fragments:
        files.append(fragment.path)
        for section, keys in fragment.values.items():
            values[section] = {**values.get(section, {}), **keys}
    return Inputs(values, tuple(files))


def to_settings(inputs: Inputs) -> Settings:
    """The whole, with what only the whole can show to be wrong."""
    settings = Settings.model_validate(inputs.values)
    pull = settings.pull
    if pull.backoff_base > pull.backoff_max:
        files = ", ".join(map(str, inputs.files)) or "the defaults"
        raise _refusal([f"{files}: pull.backoff_base is longer than pull.backoff_max"])
    return settings


class _InvalidError(Exception):
    """One fragment's errors, as lines for people."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__("; ".join(errors))
        self.errors = errors


def _refusal(errors: list[str]) -> Permanent:
    return Permanent(
        "SettingsInvalid",
        "cannot load the settings:\n" + "\n".join(f"  {line}" for line in errors),
        "correct the files; the settings and their defaults are described in settings.md",
    )


def _toml_names(directory: Path) -> list[str]:
    try:
        names = [entry.name for entry in directory.iterdir()]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _refusal([f"{directory}: cannot read it: {error.strerror}"]) from None
    return [name for name in names if name.endswith(".toml") and not name.startswith(".")]


def _masked(path: Path) -> bool:
    return path.is_symlink() and path.resolve() == Path(os.devnull)
