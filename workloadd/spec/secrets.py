"""Secrets of a container: where each comes from, and how the container gets it.

The values themselves are never in a workload file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, NoReturn

from pydantic import BeforeValidator, Field, model_validator
from pydantic.config import JsonDict

from workloadd.spec.base import SpecModel, optional
from workloadd.spec.forms import OctalForm
from workloadd.spec.modes import Mode, parse_mode
from workloadd.spec.pairs import is_variable_name
from workloadd.spec.paths import absolute_path, host_path
from workloadd.spec.problems import Problem, ProblemsError, each, reject
from workloadd.spec.text import as_line, kind, quote
from workloadd.spec.translate import validated
from workloadd.spec.volume import MAX_ID

MAX_SECRETS = 64
SECRETS_DIRECTORY = "/run/secrets"
_MODE = 0o444
_SOURCES = ("file", "variable", "credential")

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}")
# systemd.exec(5): a file name of ASCII letters, digits and a few others, at most 255 long.
_CREDENTIAL = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9_.:@-]{0,254}")
_HINT = "write NAME: {file: PATH}, {variable: NAME} or {credential: NAME}"


def _variable(value: object) -> str:
    name = as_line(value, 255)
    if not is_variable_name(name):
        hint = "use letters, digits and _, no digit first"
        raise reject("InvalidName", "it is not the name of a variable", hint)
    return name


def _credential(value: object) -> str:
    name = as_line(value)
    if not _CREDENTIAL.fullmatch(name):
        raise reject("InvalidName", f"{quote(name)} is not the name of a credential")
    return name


def _target(value: object) -> str:
    """An absolute path; a name alone lies in /run/secrets, as in Compose."""
    text = as_line(value)
    if "/" not in text and text not in (".", ".."):
        return f"{SECRETS_DIRECTORY}/{text}"
    path = absolute_path(text)
    if path == "/":
        raise reject("BadPath", "nothing can be mounted over the container's root")
    return path


# So that examples of the other fields are complete.
_IN_A_FILE: JsonDict = {"beside": {"file": "/etc/shop/db-password"}}


class Secret(SpecModel):
    """One secret: exactly one source, delivered as a file or as an environment variable."""

    file: Annotated[
        str | None, BeforeValidator(optional(host_path), json_schema_input_type=str | None)
    ] = Field(
        default=None,
        description="File that holds it, readable by the workloads' user and not by everybody: "
        "absolute, relative to the workload file, or ~/.",
        examples=["/etc/shop/db-password", "~/secrets/db-password"],
    )
    variable: Annotated[
        str | None, BeforeValidator(optional(_variable), json_schema_input_type=str | None)
    ] = Field(
        default=None,
        description="Environment variable of the daemon that holds it.",
        examples=["DB_PASSWORD"],
    )
    credential: Annotated[
        str | None, BeforeValidator(optional(_credential), json_schema_input_type=str | None)
    ] = Field(
        default=None,
        description="Credential of systemd's that holds it, given to the daemon's unit or to the "
        "user manager: so a file that only root may read gets here.",
        examples=["db-password"],
    )
    target: Annotated[
        str | None, BeforeValidator(optional(_target), json_schema_input_type=str | None)
    ] = Field(
        default=None,
        description="File inside the container; /run/secrets/NAME where it is left out.",
        examples=["/etc/app/db-password", "password"],
        json_schema_extra=_IN_A_FILE,
    )
    env: Annotated[
        str | None, BeforeValidator(optional(_variable), json_schema_input_type=str | None)
    ] = Field(
        default=None,
        description="Environment variable of the container that gets it, in place of a file.",
        examples=["POSTGRES_PASSWORD"],
        json_schema_extra=_IN_A_FILE,
    )
    uid: int = Field(
        default=0,
        ge=0,
        le=MAX_ID,
        description="Owner of the file, as a user ID in the container.",
        examples=[999],
        json_schema_extra=_IN_A_FILE,
    )
    gid: int = Field(
        default=0,
        ge=0,
        le=MAX_ID,
        description="Group of the file, as a group ID in the container.",
        examples=[999],
        json_schema_extra=_IN_A_FILE,
    )
    mode: Annotated[Mode, BeforeValidator(parse_mode, json_schema_input_type=OctalForm)] = Field(
        default=_MODE,
        description="Octal permission bits of the file.",
        examples=["0400"],
        json_schema_extra=_IN_A_FILE,
    )

    @property
    def source(self) -> tuple[str, str]:
        """The kind of its source, and what it is called there."""
        return next((key, text) for key in _SOURCES if (text := getattr(self, key)) is not None)

    @model_validator(mode="after")
    def _agree(self) -> Secret:
        given = [key for key in _SOURCES if getattr(self, key) is not None]
        if not given:
            raise ProblemsError(Problem("MissingField", "it names no source", _HINT, at_key=True))
        if len(given) > 1:
            why = f"{given[0]} is its source already"
            raise ProblemsError(Problem("BadValue", why, "leave one of them out", (given[1],)))
        is_file = self.target is not None or (self.uid, self.gid, self.mode) != (0, 0, _MODE)
        if self.env is not None and is_file:
            why = "it is given as a variable, not as a file"
            hint = "leave out env, or what is said of a file"
            raise ProblemsError(Problem("BadValue", why, hint, ("env",)))
        return self


def parse_secrets(value: object) -> Mapping[str, Secret]:
    """The value of ``secrets``, sorted by name."""
    if not isinstance(value, dict):
        raise reject("WrongType", f"expected a mapping, got {kind(value)}", _HINT)
    if len(value) > MAX_SECRETS:
        raise reject("TooLarge", f"it has {len(value)} secrets, more than {MAX_SECRETS}")
    parsed = each(value.items(), _secret)
    for name, _ in parsed:
        if not _NAME.fullmatch(name):
            hint = "at most 63 letters, digits, “.”, “_” and “-”"
            raise reject("InvalidName", f"{quote(name)} is no name", hint, name, at_key=True)
    secrets = dict(sorted(parsed))
    _check_distinct(secrets)
    return secrets


def _secret(value: object) -> Secret:
    if isinstance(value, str):
        _refuse_text()
    return validated(Secret, value)


def _refuse_text() -> NoReturn:
    """Whatever was meant, it may be the secret itself: it is not quoted."""
    hint = f"{_HINT}, never the secret itself"
    raise reject("WrongType", "expected a mapping, got text", hint, at_key=True)


def _check_distinct(secrets: Mapping[str, Secret]) -> None:
    """Two secrets in one place would be one of them, nobody knows which."""
    seen: dict[str, str] = {}
    for name, secret in secrets.items():
        place = secret_place(name, secret)
        if other := seen.get(place):
            why = f"the secret {quote(other)} goes to {quote(place)} too"
            raise reject("DuplicateTarget", why, "", name, at_key=True)
        seen[place] = name


def secret_place(name: str, secret: Secret) -> str:
    """The path, or the variable, where the container finds the secret."""
    return secret.env or secret.target or f"{SECRETS_DIRECTORY}/{name}"
