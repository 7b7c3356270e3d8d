"""Sockets that systemd listens on for a workload: short texts, or the long form."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
)

from workloadd.spec.forms import OctalForm
from workloadd.spec.modes import parse_mode
from workloadd.spec.ports import HostPort, canonical_ip, same_host_port
from workloadd.spec.problems import Path, Problem, ProblemsError, gather, reject
from workloadd.spec.text import as_line, as_list, did_you_mean, kind, one_of, quote
from workloadd.spec.translate import validated
from workloadd.spec.units import parse_duration

MAX_SOCKETS = 64
_PROTOCOLS = ("tcp", "udp")
_HINT = 'write for example 8080, "127.0.0.1:8080", "5353/udp" or "%t/web.sock"'
_INET = re.compile(
    r"""(?: (?P<ip> \[[^\]]*\] | [^\[\]:/]+ ) : )?
        (?P<port> [^\[\]:/]+ )
        (?: / (?P<protocol> .* ) )?""",
    re.VERBOSE,
)
_NUMBER = re.compile(r"0|[1-9][0-9]{0,5}")
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}")
# The kernel's sun_path holds 108 bytes, the last of them a NUL (unix(7)).
_MAX_UNIX = 107
# As long as what `%t` stands for can be: /run/user/4294967295.
_RUNTIME = "/run/user/4294967295"
# Sockets below `%t` that others listen on; systemd would put ours in their place.
_TAKEN = ("bus", "systemd", "podman", "workloadd", "gnupg", "pipewire-0", "wayland-0")

SocketKind: TypeAlias = Literal["tcp", "udp", "unix"]


class Socket(BaseModel):
    """One socket. ``address`` is a canonical IP address (empty for all) or the path of a Unix
    socket, which may begin with ``%t`` or ``~``."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    kind: SocketKind = "tcp"
    address: str = ""
    port: int = Field(default=0, ge=0, le=65535)
    name: str = ""
    mode: int | None = None
    container: str = ""

    def __str__(self) -> str:
        if self.kind == "unix":
            return self.address
        ip = f"[{self.address}]" if ":" in self.address else self.address
        return f"{ip}{':' if ip else ''}{self.port}{'/udp' if self.kind == 'udp' else ''}"

    @model_serializer(mode="wrap")
    def _short(self, handler: SerializerFunctionWrapHandler) -> str | dict[str, Any]:
        more = {
            "name": self.name,
            "mode": None if self.mode is None else f"{self.mode:04o}",
            "container": self.container,
        }
        given = {key: value for key, value in more.items() if value}
        return {"listen": str(self), **given} if given else str(self)

    @property
    def host(self) -> HostPort:
        """What of the host it takes."""
        return self.address, self.port, self.kind


def parse_listen(value: object) -> Socket:
    """A socket from ``[IP:]PORT[/udp]`` or from the path of a Unix socket."""
    if isinstance(value, int) and not isinstance(value, bool):
        return Socket(port=_port(str(int(value))))
    if isinstance(value, bool) or not isinstance(value, str):
        raise reject("WrongType", f"expected a socket, got {kind(value)}", _HINT)
    text = as_line(value)
    if text[0] in "/~%.@":
        return Socket(kind="unix", address=_unix_path(text))
    found = _INET.fullmatch(text)
    if not found:
        raise reject("BadSocket", f"{quote(text)} is not a socket", _HINT)
    protocol = "tcp" if found["protocol"] is None else found["protocol"].lower()
    if protocol not in _PROTOCOLS:
        why = f"{quote(found['protocol'])} is not one of {one_of(_PROTOCOLS)}"
        raise reject("BadSocket", why, did_you_mean(protocol, _PROTOCOLS))
    if found["ip"] and _NUMBER.fullmatch(found["ip"]):
        why = f"{quote(text)} has two ports, and the program gets the socket itself"
        raise reject("BadSocket", why, f"write {found['ip']}, or use ports")
    address, port = canonical_ip(found["ip"] or ""), _port(found["port"])
    return Socket(kind="udp" if protocol == "udp" else "tcp", address=address, port=port)


def _port(text: str) -> int:
    if not _NUMBER.fullmatch(text) or not 1 <= (port := int(text)) <= 65535:
        raise reject("BadSocket", f"{quote(text)} is not a port between 1 and 65535", _HINT)
    return port


def _unix_path(text: str) -> str:
    if text.startswith("@"):
        raise reject("BadSocket", "an abstract socket has no permissions", "write a path")
    if not text.startswith(("/", "~/", "%t/")):
        hint = "begin it with /, ~/ or %t/ (the user's directory below /run)"
        raise reject("BadSocket", f"{quote(text)} is not an absolute path", hint)
    root, *parts = text.split("/")
    parts = [part for part in parts if part not in ("", ".")]
    path = "/".join((root, *parts))
    if ".." in parts:
        raise reject("BadSocket", f"{quote(text)} has .. in it", "write the path it leads to")
    if not parts or text.endswith(("/", "/.")):
        raise reject("BadSocket", f"{quote(text)} names no socket in that directory")
    if text != text.strip() or text.endswith("\\"):
        raise reject("BadSocket", f"{quote(text)} ends as no socket's name can")
    if root == "%t" and parts[0] in _TAKEN:
        raise reject("BadSocket", f"{quote(text)} belongs to another service", "choose another")
    if len(path.replace("%t", _RUNTIME, 1).encode()) > _MAX_UNIX:
        raise reject("BadSocket", f"a socket's path has at most {_MAX_UNIX} bytes")
    return path


def _listen(value: object) -> Socket:
    return value if isinstance(value, Socket) else parse_listen(value)


def _name(value: object) -> str:
    text = as_line(value)
    if not _NAME.fullmatch(text):
        why = f"{quote(text)} is not a name of at most 64 letters, digits, “.”, “_” and “-”"
        raise reject("BadSocket", why)
    return text


def _mode(value: object) -> int | None:
    return None if value is None else parse_mode(value, 0o777)


class SocketEntry(BaseModel):
    """The long form of one entry of ``sockets``."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    listen: Annotated[Socket, BeforeValidator(_listen, json_schema_input_type=int | str)] = Field(
        description="[IP:]PORT[/udp], or the path of a Unix socket: absolute, below the home "
        "directory of the workloads' user (~/) or below its $XDG_RUNTIME_DIR (%t/).",
        examples=[8080, "127.0.0.1:8080", "5353/udp", "%t/web.sock"],
    )
    name: Annotated[str, BeforeValidator(_name, json_schema_input_type=str)] = Field(
        default="",
        description="What the program knows it by (LISTEN_FDNAMES); the workload's name where it "
        "is left out.",
        examples=["http"],
    )
    mode: Annotated[int | None, BeforeValidator(_mode, json_schema_input_type=OctalForm)] = Field(
        default=None,
        description="Octal permission bits of a Unix socket; 0600 where it is left out.",
        examples=["0660"],
    )
    container: Annotated[str, BeforeValidator(as_line, json_schema_input_type=str)] = Field(
        default="",
        description="The container of a pod that gets it; needed where there are several.",
        examples=["proxy"],
    )

    def socket(self) -> Socket:
        """The socket meant."""
        if self.mode is not None and self.listen.kind != "unix":
            why = "only a Unix socket has permission bits"
            raise reject("BadSocket", why, "", "mode")
        more = {"name": self.name, "mode": self.mode, "container": self.container}
        return self.listen.model_copy(update=more)


def parse_idle_timeout(value: object) -> float | None:
    """The value of ``idle_timeout``."""
    if value is None:
        return None
    if (seconds := parse_duration(value)) < 1:
        raise reject("BadValue", "it is shorter than a second", "write for example 10m")
    return seconds


def _entry(value: object) -> Socket:
    match value:
        case Socket():
            return value
        case dict():
            return validated(SocketEntry, value).socket()
    return parse_listen(value)


def located_sockets(value: object) -> list[tuple[Path, Socket]]:
    """Every socket that the list ``value`` declares, with the path of its entry in the list.

    Their order is kept: a program without names counts descriptors from 3 on.
    """
    entries, problems = gather(enumerate(as_list(value, MAX_SOCKETS)), _entry)
    if problems := [*problems, *_clashes(entries), *_disagreements(entries)]:
        raise ProblemsError(*problems)
    return [((index,), socket) for index, socket in entries]


def parse_sockets(value: object) -> tuple[Socket, ...]:
    """The value of ``sockets``."""
    return tuple(socket for _, socket in located_sockets(value))


def _clashes(entries: Sequence[tuple[int, Socket]]) -> Iterator[Problem]:
    for position, (index, socket) in enumerate(entries):
        for other, taken in entries[:position]:
            if same_host_port(socket.host, taken.host):
                why = f"{quote(str(socket))} is taken by entry {other} ({taken})"
                yield Problem("DuplicateHostPort", why, "", (index,))
                break


def _disagreements(entries: Sequence[tuple[int, Socket]]) -> Iterator[Problem]:
    """What has one name is handed over together, from one unit of systemd."""
    first: dict[str, Socket] = {}
    modes: dict[str, int | None] = {}
    for index, socket in entries:
        other = first.setdefault(socket.name, socket)
        why = ""
        if socket.container != other.container:
            why = f"sockets of one name go to one container, and {other} goes to another one"
        elif socket.kind == "unix" and modes.setdefault(socket.name, socket.mode) != socket.mode:
            why = "Unix sockets of one name have one mode"
        if why:
            yield Problem("BadSocket", why, "give it a name of its own", (index,))


def groups(sockets: Sequence[Socket]) -> Mapping[str, tuple[Socket, ...]]:
    """Sockets by name, in the order of the file: those that one unit listens on."""
    found: dict[str, tuple[Socket, ...]] = {}
    for socket in sockets:
        found[socket.name] = (*found.get(socket.name, ()), socket)
    return found
