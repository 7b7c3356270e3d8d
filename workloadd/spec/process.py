"""How the process in a container is started, named and restarted: short forms to long ones."""

from __future__ import annotations

import re
import shlex
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_serializer

from workloadd.spec.base import SpecModel
from workloadd.spec.paths import host_path
from workloadd.spec.problems import ProblemsError, each, reject
from workloadd.spec.text import (
    MAX_ITEMS,
    as_line,
    as_list,
    as_text,
    bounded,
    did_you_mean,
    one_of,
    quote,
)
from workloadd.spec.translate import validated
from workloadd.spec.units import format_duration

MAX_ARGUMENT = 32 * 1024
MAX_HOSTNAME = 64
"""The kernel's bound (__NEW_UTS_LEN); RFC 1123 alone would allow 253."""

MAX_STOP_TIMEOUT = 86400.0

KEEP_GROUPS = "keep-groups"
"""Podman's word for the groups that the user has on the host."""

_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_USER = re.compile(r"(?:[0-9]{1,10}|[A-Za-z_][A-Za-z0-9_.-]{0,31}\$?)")
_MAX_ID = 2**32 - 2  # (uid_t) -1 means "no change" to the kernel
_POLICIES = ("always", "on-failure", "no")
_RETRIES = re.compile(r"on-failure:([0-9]{1,6})")


def parse_arguments(value: object) -> tuple[str, ...] | None:
    """A command: text is split as a shell would, a list is taken as it is, an empty one clears.

    Nothing is expanded.  Line breaks are allowed: arguments go to Podman as JSON, never by a unit.
    """
    if value is None:
        return None
    if isinstance(value, str):
        try:
            words = shlex.split(bounded(value, MAX_ARGUMENT))
        except ValueError as caught:
            why = f"it cannot be split into words: {str(caught).lower()}"
            raise reject("BadValue", why, "write it as a list") from None
    else:
        words = [word for _, word in each(enumerate(as_list(value)), as_text)]
    if len(words) > MAX_ITEMS:
        raise reject("TooLarge", f"it has {len(words)} words, more than {MAX_ITEMS}")
    return tuple(bounded(word, MAX_ARGUMENT) for word in words)


def parse_user(value: object) -> str | None:
    """``uid[:gid]`` or ``name[:group]`` in the container; a number alone is a uid."""
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(int(value))
    text = as_line(value)
    parts = text.split(":")
    if len(parts) > 2 or not all(_USER.fullmatch(part) for part in parts):
        hint = "write for example 1000, 1000:1000 or www-data"
        raise reject("BadValue", f"{quote(text)} is not USER[:GROUP]", hint)
    for part in parts:
        if part.isdigit() and int(part) > _MAX_ID:
            raise reject("BadValue", f"{quote(part)} is above the highest id, {_MAX_ID}")
    return text


def parse_groups(value: object) -> tuple[str, ...]:
    """The value of ``group_add``, each group once, sorted."""
    groups = {group for _, group in each(enumerate(as_list(value)), _group)}
    if KEEP_GROUPS in groups and len(groups) > 1:
        why = f"{KEEP_GROUPS} stands alone: Podman takes no group beside it"
        raise reject("BadValue", why, "leave it or the others out")
    return tuple(sorted(groups))


def _group(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(int(value))
    text = as_line(value)
    if not _USER.fullmatch(text):
        raise reject("BadValue", f"{quote(text)} is not a group", "write its name or number")
    if text.isdigit() and int(text) > _MAX_ID:
        raise reject("BadValue", f"{quote(text)} is above the highest id, {_MAX_ID}")
    return text


def parse_hostname(value: object) -> str | None:
    """A host name by RFC 1123, in lower case: names are compared without regard to it."""
    if value is None:
        return None
    text = as_line(value)
    if len(text) > MAX_HOSTNAME:
        raise reject("TooLarge", f"it has {len(text)} characters, more than {MAX_HOSTNAME}")
    if not all(_LABEL.fullmatch(label) for label in text.split(".")):
        hint = "use letters, digits, “-” within, and dots between"
        raise reject("BadValue", f"{quote(text)} is not a host name", hint)
    return text.lower()


class EnvFile(SpecModel):
    """A file of ``KEY=VALUE`` lines on the host.

    ``path`` is kept as written: absolute, relative to the workload file's directory, or below the
    home directory of the workloads' user (``~/``).  Whoever reads it resolves it.
    """

    path: str = Field(
        description="Path on the host: absolute, relative to the workload file, or ~/.",
        examples=["/etc/web.env", "web.env"],
    )
    required: bool = Field(
        default=True, description="Whether a missing file is an error.", examples=[False]
    )


def _env_file(value: object) -> EnvFile:
    entry = EnvFile(path=as_line(value)) if isinstance(value, str) else validated(EnvFile, value)
    try:
        host_path(entry.path)
    except ProblemsError as caught:
        raise (caught if isinstance(value, str) else caught.below("path")) from None
    return entry


def parse_env_files(value: object) -> tuple[EnvFile, ...]:
    """One path, or a list of paths and ``{path, required}``; of equal variables the last counts."""
    entries = [value] if isinstance(value, str) else as_list(value)
    return tuple(entry for _, entry in each(enumerate(entries), _env_file))


class Restart(BaseModel):
    """When systemd starts the container again after it has ended by itself."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    policy: Literal["always", "on-failure", "no"] = "always"
    max_retries: int | None = Field(default=None, ge=1)

    @model_serializer
    def _short(self) -> str:
        retries = f":{self.max_retries}" if self.max_retries else ""
        return f"{self.policy}{retries}"


def parse_restart(value: object) -> Restart:
    """``always``, ``on-failure``, ``on-failure:N`` (at most N times in a row) or ``no``."""
    if isinstance(value, Restart):
        return value
    if value is False:
        raise reject("WrongType", "expected text, got true or false", "write no, without quotes")
    text = as_line(value)
    if text in _POLICIES:
        return Restart.model_validate({"policy": text})
    if (found := _RETRIES.fullmatch(text)) and int(found[1]):
        return Restart(policy="on-failure", max_retries=int(found[1]))
    if text == "unless-stopped":
        why = f"{quote(text)} has no meaning here: the file alone says whether a workload runs"
        raise reject("BadValue", why, "write always; enabled: false keeps a workload stopped")
    why = f"{quote(text)} is not one of {one_of((*_POLICIES, 'on-failure:N'))}"
    raise reject("BadValue", why, did_you_mean(text, _POLICIES))


def parse_description(value: object) -> str:
    """One line, which becomes a unit's ``Description=``; empty for none."""
    return "" if value == "" else as_line(value, 256)


def parse_stop_timeout(value: float) -> float:
    """Refuses what is certainly a mistake."""
    if value > MAX_STOP_TIMEOUT:
        raise reject(
            "BadValue", f"{format_duration(value)} is more than 24h", "a shutdown waits this long"
        )
    return value
