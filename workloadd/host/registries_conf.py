"""Where an image name leads: containers-registries.conf(5), as far as asking for a digest needs."""

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workloadd.core.errors import Permanent
from workloadd.host.files import read_bounded

_MAX_SIZE = 1 << 20
_HUB = "docker.io"
# docker.io is a name; this is the registry behind it.
_HUB_HOST = "registry-1.docker.io"


@dataclass(frozen=True, slots=True)
class Place:
    """A registry to ask, and the repository there. Without `tls` it is asked in plain HTTP where
    HTTPS does not work, as Podman does."""

    host: str
    repository: str
    insecure: bool = False


def places_of(name: str, files: Sequence[Path]) -> tuple[Place, ...]:
    """Where to ask for the image `name` (registry/repository, no tag): mirrors first. Blocks.

    Raises:
        Permanent: the configuration cannot be read, or blocks the registry.
    """
    entry = _best(name, list(_entries(files)))
    if entry is None:
        return (_place(name, insecure=False),)
    if entry.get("blocked"):
        message = f"cannot ask for {name}: registries.conf blocks it"
        raise Permanent("RegistryBlocked", message, "allow it there, or take another image")
    prefix = _prefix(entry)
    mirrors = [
        _place(_moved(name, prefix, str(mirror["location"])), bool(mirror.get("insecure")))
        for mirror in entry.get("mirror", ())
        if mirror.get("location")
    ]
    location = str(entry.get("location") or prefix)
    return (*mirrors, _place(_moved(name, prefix, location), bool(entry.get("insecure"))))


def _moved(name: str, prefix: str, location: str) -> str:
    # A prefix with a wildcard has no location that could take its place.
    return name if prefix.startswith("*.") else location + name.removeprefix(prefix)


def _place(name: str, insecure: bool) -> Place:
    host, _, repository = name.partition("/")
    return Place(_HUB_HOST if host == _HUB else host, repository, insecure)


def _best(name: str, entries: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The entry with the longest prefix that fits."""
    fitting = [one for one in entries if _fits(name, _prefix(one))]
    return max(fitting, key=lambda one: len(_prefix(one)), default=None)


def _prefix(entry: dict[str, Any]) -> str:
    return str(entry.get("prefix") or entry.get("location") or "")


def _fits(name: str, prefix: str) -> bool:
    if prefix.startswith("*."):
        return name.partition("/")[0].endswith(prefix[1:])
    return bool(prefix) and (name == prefix or name.startswith((f"{prefix}/", f"{prefix}:")))


def _entries(files: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """The `[[registry]]` tables of all files; a later file replaces the same prefix."""
    found: dict[str, dict[str, Any]] = {}
    for file in files:
        for one in _load(file).get("registry", ()):
            found[_prefix(one)] = one
    yield from found.values()


def _load(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_bounded(file, _MAX_SIZE).decode())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        message = f"cannot read {file}: {error}"
        raise Permanent(
            "RegistriesConfUnusable", message, "see containers-registries.conf(5)"
        ) from None


def configuration_files(home: Path) -> tuple[Path, ...]:
    """The files that count, the weakest first: a user's own replaces the system's. Blocks."""
    own, system = home / ".config/containers", Path("/etc/containers")
    main = own if (own / "registries.conf").exists() else system
    fragments = [p for d in (system, own) for p in sorted((d / "registries.conf.d").glob("*.conf"))]
    return (main / "registries.conf", *fragments)
