"""Devices of the host in a container."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, Field

from workloadd.spec.base import SpecModel
from workloadd.spec.paths import absolute_path
from workloadd.spec.problems import each, reject
from workloadd.spec.text import as_line, as_list, kind, quote
from workloadd.spec.translate import validated

_CDI = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*=[A-Za-z0-9][^\s:]*")
_PERMISSIONS = re.compile(r"(?=[rwm])r?w?m?")
_HINT = "write for example /dev/ttyUSB0, /dev/ttyUSB0:/dev/modem:rw or nvidia.com/gpu=all"


def _path(value: object) -> str:
    path = absolute_path(value)
    if ":" in path:
        raise reject("BadDevice", f"{quote(path)} has a colon in it, which Podman cannot take")
    return path


def _source(value: object) -> str:
    text = as_line(value)
    return text if _CDI.fullmatch(text) else _path(text)


def _permissions(value: object) -> str:
    text = as_line(value)
    if not _PERMISSIONS.fullmatch(text):
        hint = "r for reading, w for writing, m for making it with mknod, in this order"
        raise reject("BadDevice", f"{quote(text)} is not some of rwm", hint)
    return text


class DeviceEntry(SpecModel):
    """The long form of one entry of ``devices``."""

    source: Annotated[str, BeforeValidator(_source, json_schema_input_type=str)] = Field(
        description="Device of the host, or the CDI name of one.",
        examples=["/dev/ttyUSB0", "nvidia.com/gpu=all"],
    )
    target: Annotated[
        str, BeforeValidator(lambda v: v and _path(v), json_schema_input_type=str)
    ] = Field(
        default="",
        description="Path in the container; the same where it is left out.",
        examples=["/dev/modem"],
    )
    permissions: Annotated[
        str, BeforeValidator(lambda v: v and _permissions(v), json_schema_input_type=str)
    ] = Field(
        default="",
        description="What is allowed: r to read, w to write, m to make it with mknod.",
        examples=["rw"],
    )

    def __str__(self) -> str:
        if not self.source.startswith("/"):
            return self.source
        target = self.target or self.source
        tail = f":{self.permissions}" if self.permissions not in ("", "rwm") else ""
        return f"{self.source}:{target}{tail}" if tail or target != self.source else self.source


def parse_device(text: str) -> str:
    """``SOURCE[:TARGET][:PERMISSIONS]``, or a CDI name, in canonical form."""
    line = as_line(text)
    source, *rest = line.split(":")
    if len(rest) > 2 or (rest and not source.startswith("/")):
        raise reject("BadDevice", f"{quote(line)} is not a device", _HINT)
    if not source.startswith("/") and not _CDI.fullmatch(source):
        raise reject("BadDevice", f"{quote(line)} is not a device", _HINT)
    given = {"source": _source(source)}
    if rest and rest[0].startswith("/"):
        given["target"] = _path(rest.pop(0))
    if rest:
        given["permissions"] = _permissions(rest.pop(0))
    if rest:
        raise reject("BadDevice", f"{quote(line)} is not a device", _HINT)
    return str(DeviceEntry.model_validate(given))


def _long(value: dict[str, object]) -> str:
    entry = validated(DeviceEntry, value)
    if not entry.source.startswith("/") and (entry.target or entry.permissions):
        key = "target" if entry.target else "permissions"
        why = "a CDI device says itself where it goes and what is allowed"
        raise reject("BadDevice", why, "leave it out", key)
    return str(entry)


def _entry(value: object) -> str:
    match value:
        case str():
            return parse_device(value)
        case dict():
            return _long(value)
    raise reject("WrongType", f"expected a device, got {kind(value)}", _HINT)


def parse_devices(value: object) -> tuple[str, ...]:
    """The value of ``devices``, each once, sorted: their order has no meaning."""
    return tuple(sorted({device for _, device in each(enumerate(as_list(value)), _entry)}))


class DevicesSpec(SpecModel):
    """Devices of a container."""

    devices: Annotated[
        tuple[str, ...],
        BeforeValidator(parse_devices, json_schema_input_type=list[str | DeviceEntry]),
    ] = Field(
        default=(),
        description="Devices of the host that the user may use: SOURCE[:TARGET][:PERMISSIONS], "
        "a CDI name, or the long form.",
        examples=[["/dev/ttyUSB0:/dev/modem:rw"], [{"source": "/dev/dri"}]],
    )
