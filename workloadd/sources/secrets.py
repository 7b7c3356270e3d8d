"""Secrets where they are kept: files, the daemon's environment, systemd's credentials.

No message here has any part of a value.
"""

import errno
import hmac
import os
import stat
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from workloadd.core.errors import Problem
from workloadd.core.given import GivenSecret
from workloadd.sources.files import shown, why
from workloadd.sources.trail import trail
from workloadd.spec.secrets import Secret

# Podman takes secrets of less than this many bytes, and of more than none.
MAX_BYTES = 512_000 - 1
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | os.O_NOFOLLOW


class Refused(Exception):  # noqa: N818 - caught by who wanted to read it
    """A secret that is there and must not be used so."""


@dataclass(frozen=True, slots=True)
class SecretPlaces:
    """Where secrets that are no files are looked for: variables, directories of credentials."""

    variables: Mapping[str, str]
    credentials: tuple[Path, ...] = ()

    @classmethod
    def of_this_process(cls) -> "SecretPlaces":
        """The daemon's own, and the credentials of the user manager that started it."""
        own = os.environ.get("CREDENTIALS_DIRECTORY")
        manager = Path(f"/run/credentials/user@{os.getuid()}.service")
        return cls(os.environ, (*([Path(own)] if own else []), manager))

    def value(self, kind: str, where: str) -> bytes:
        """What is in a `file`, a `variable` or a `credential`. Blocks.

        Raises:
            OSError: it cannot be read.
            Refused: it must not be used so.
        """
        if kind == "variable":
            if where not in self.variables:
                raise FileNotFoundError(errno.ENOENT, "the daemon has no such variable")
            return self.variables[where].encode(errors="surrogateescape")
        if kind == "credential":
            return self._credential(where)
        _check_links(Path(where))
        return _read(os.path.realpath(where), strict=True)

    def _credential(self, name: str) -> bytes:
        for directory in self.credentials:
            try:
                return _read(str(directory / name), strict=False)
            except FileNotFoundError:
                continue
        raise FileNotFoundError(errno.ENOENT, "systemd passed on no such credential")


class Secrets:
    """Reads secrets; `key` gives this host's key for their digests. Blocks."""

    def __init__(self, places: SecretPlaces, key: Callable[[], bytes]) -> None:
        self._places = places
        self._key = key

    def read(self, name: str, secret: Secret) -> GivenSecret | Problem:
        """The secret, or what is wrong with it."""
        kind, where = secret.source
        try:
            value = self._places.value(kind, where)
            if secret.env:
                value = _as_variable(value)
            if not 0 < len(value) <= MAX_BYTES:
                raise Refused(f"it has {len(value)} bytes, which is not 1 to {MAX_BYTES}")
            digest = hmac.new(self._key(), value, "sha256").hexdigest()
        except (OSError, Refused) as error:
            reason = "SecretMissing" if isinstance(error, FileNotFoundError) else "SecretUnusable"
            return Problem(reason, *read_error(f"the secret {name}", kind, where, error))
        return GivenSecret(name, digest, value)


_HINTS = {
    "file": "put it into {}, readable by the workloads' user alone",
    "variable": "write Environment={0}=… into a drop-in of workloadd.service",
    "credential": "write LoadCredential={0}:/PATH into a drop-in of user@.service, and restart it",
}


def _message(what: str, kind: str, where: str, reason: str) -> str:
    place = shown(where) if kind == "file" else f"{kind} {where}"
    return f"cannot read {what} from {place}: {reason}"


def read_error(what: str, kind: str, where: str, error: Exception) -> tuple[str, str]:
    """What to tell people of an error that `SecretPlaces.value` raised, and what to do."""
    if isinstance(error, FileNotFoundError):
        return _message(what, kind, where, why(error)), _HINTS[kind].format(where)
    reason = why(error) if isinstance(error, OSError) else str(error)
    return _message(what, kind, where, reason), _private(where) if kind == "file" else ""


def _private(path: str) -> str:
    return f"chown root:GROUP-OF-THE-USER {shown(path)} and chmod 0640, or own it with 0600"


def _as_variable(value: bytes) -> bytes:
    """As $(cat FILE) in a shell has it: the end of the last line is no part of it."""
    value = value.removesuffix(b"\n")
    if b"\0" in value:
        raise Refused("it has a NUL in it, which no variable can hold")
    return value


def _read(path: str, *, strict: bool) -> bytes:
    """A regular file; `strict` refuses what others than we and root have a hand in."""
    # Opening anything else may wait, or have effects.
    _check_regular(os.lstat(path))
    descriptor = os.open(path, _READ)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        _check_regular(status)
        if strict:
            _check_private(status)
        return file.read(MAX_BYTES + 1)


def _check_regular(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise Refused("it is not a file")


def _check_private(status: os.stat_result) -> None:
    mode = stat.S_IMODE(status.st_mode)
    if status.st_uid not in _trusted():
        raise Refused(f"it belongs to the user {status.st_uid}, not to root or to us")
    if mode & stat.S_IROTH:
        raise Refused(f"everybody may read it (mode {mode:04o})")
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise Refused(f"others may write to it (mode {mode:04o})")


def _check_links(path: Path) -> None:
    """Somebody else's link could lead to a file of ours that was never meant to be passed on."""
    lookups, _ = trail(path)
    for directory, name in lookups:
        entry = directory / name
        try:
            status = entry.lstat()
        except FileNotFoundError:
            return
        if stat.S_ISLNK(status.st_mode) and status.st_uid not in _trusted():
            raise Refused(f"{shown(entry)} is a link of the user {status.st_uid}")


def _trusted() -> Iterable[int]:
    return (0, os.getuid())
