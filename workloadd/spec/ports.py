"""Published ports: Compose's short and long forms, ranges expanded."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_serializer

from workloadd.spec.problems import Path, Problem, ProblemsError, gather, reject
from workloadd.spec.text import as_line, as_list, did_you_mean, kind, one_of, quote
from workloadd.spec.translate import validated

MAX_PORTS = 256
HostPort: TypeAlias = tuple[str, int, str]
"""Address of the host (empty for all), port and protocol; of a Unix socket its path, 0 and unix."""
PROTOCOLS = ("tcp", "udp", "sctp")

_SHORT_HINT = 'write for example "8080:80", "127.0.0.1:8080:80" or "5353:53/udp"'
_SHORT = re.compile(
    r"""(?: (?P<ip> \[[^\]]*\] | [^\[\]:]+ ) : (?=.*:) )?   # an address only where a port follows
        (?: (?P<host> [^:/]* ) : )?
        (?P<container> [^:/]+ )
        (?: / (?P<protocol> [^:/]* ) )?""",
    re.VERBOSE,
)
_RANGE = re.compile(r"(0|[1-9][0-9]{0,5})(?:-(0|[1-9][0-9]{0,5}))?")


class Port(BaseModel):
    """One port of the container that the host listens for.

    ``host_ip`` is a canonical IPv4 or IPv6 address, or empty for all addresses.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    host_ip: str = ""
    host_port: int = Field(ge=1, le=65535)
    container_port: int = Field(ge=1, le=65535)
    protocol: Literal["tcp", "udp", "sctp"] = "tcp"

    def __str__(self) -> str:
        ip = f"[{self.host_ip}]" if ":" in self.host_ip else self.host_ip
        prefix = f"{ip}:" if ip else ""
        suffix = "" if self.protocol == "tcp" else f"/{self.protocol}"
        return f"{prefix}{self.host_port}:{self.container_port}{suffix}"

    @model_serializer
    def _short(self) -> str:
        return str(self)

    @property
    def host(self) -> HostPort:
        """What of the host it takes."""
        return self.host_ip, self.host_port, self.protocol

    @property
    def order(self) -> tuple[str, int, int, str]:
        """What ports are sorted by: their order in a file has no meaning."""
        return self.protocol, self.host_port, self.container_port, self.host_ip


def parse_port(text: str) -> list[Port]:
    """The ports of one ``[[IP:]HOST:]CONTAINER[/PROTOCOL]``."""
    found = _SHORT.fullmatch(as_line(text))
    if not found:
        raise reject("BadPort", f"{quote(text)} is not a port", _SHORT_HINT)
    container = port_range(found["container"])
    if not found["host"]:
        raise _no_host_port(text, container.start)
    protocol = "tcp" if found["protocol"] is None else found["protocol"]
    return _ports(
        canonical_ip(found["ip"] or ""),
        port_range(found["host"]),
        container,
        parse_protocol(protocol),
    )


def _no_host_port(text: str, container: int) -> ProblemsError:
    """Without a host port Compose picks a random one, another at each start."""
    proposed = f"{container if container >= 1024 else 8000 + container}:{container}"
    return reject("BadPort", f"{quote(text)} names no host port", f'write for example "{proposed}"')


def port_range(text: str) -> range:
    """``80`` or ``8000-8010``."""
    found = _RANGE.fullmatch(text)
    if not found:
        raise reject("BadPort", f"{quote(text)} is not a port number", _SHORT_HINT)
    first, last = (int(number) for number in (found[1], found[2] or found[1]))
    if not 1 <= first <= last <= 65535:
        why = f"{quote(text)} is not a port between 1 and 65535"
        why = f"the range {quote(text)} runs backwards" if last < first else why
        raise reject("BadPort", why)
    return range(first, last + 1)


def canonical_ip(text: str) -> str:
    """An IPv4 or IPv6 address, which may stand in brackets; empty stays empty."""
    if not text:
        return ""
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        hint = "write 127.0.0.1" if bare == "localhost" else ""
        raise reject("BadPort", f"{quote(bare)} is not an IP address", hint) from None
    if "%" in bare:
        raise reject("BadPort", f"{quote(bare)} has an interface in it", "write the address alone")
    return str(address)


def parse_protocol(text: str) -> str:
    """A transport protocol, in lower case."""
    if text.lower() not in PROTOCOLS:
        why = f"{quote(text)} is not one of {one_of(PROTOCOLS)}"
        raise reject("BadPort", why, did_you_mean(text, PROTOCOLS))
    return text.lower()


def _ports(ip: str, host: range, container: range, protocol: str) -> list[Port]:
    if len(host) != len(container):
        why = f"{len(host)} host ports cannot stand for {len(container)} container ports"
        raise reject("BadPort", why, "make both ranges equally long")
    if len(host) > MAX_PORTS:
        raise reject("TooLarge", f"a range of {len(host)} ports is longer than {MAX_PORTS}")
    return [
        Port.model_validate(
            {"host_ip": ip, "host_port": h, "container_port": c, "protocol": protocol}
        )
        for h, c in zip(host, container, strict=True)
    ]


def _published(value: object) -> range:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise reject("WrongType", f"expected a port number, got {kind(value)}")
    return port_range(str(value))


def _long_ip(value: object) -> str:
    return canonical_ip(value) if value == "" else canonical_ip(as_line(value))


class PortEntry(BaseModel):
    """The long form of one entry of ``ports``."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        arbitrary_types_allowed=True,
        hide_input_in_errors=True,
    )

    target: Annotated[Any, BeforeValidator(_published, json_schema_input_type=int | str)] = Field(
        description="Port, or range of ports, inside the container.", examples=[80, "9000-9010"]
    )
    published: Annotated[Any, BeforeValidator(_published, json_schema_input_type=int | str)] = (
        Field(
            description="Port, or equally long range of ports, on the host.",
            examples=[8080, "8000-8010"],
        )
    )
    host_ip: Annotated[str, BeforeValidator(_long_ip, json_schema_input_type=str)] = Field(
        default="",
        description="Address of the host to listen on; all of them where it is left out.",
        examples=["127.0.0.1", "::1"],
    )
    protocol: Annotated[
        Literal["tcp", "udp", "sctp"],
        BeforeValidator(lambda value: parse_protocol(as_line(value)), json_schema_input_type=str),
    ] = Field(default="tcp", description="Transport protocol.", examples=["udp"])

    def ports(self) -> list[Port]:
        """The ports meant, one for each of the range."""
        return _ports(self.host_ip, self.published, self.target, self.protocol)


def _entry(value: object) -> list[Port]:
    match value:
        case Port():
            return [value]
        case str():
            return parse_port(value)
        case bool():
            raise reject("WrongType", f"expected a port, got {kind(value)}", _SHORT_HINT)
        case int():
            raise _no_host_port(str(value), port_range(str(int(value))).start)
        case dict():
            return validated(PortEntry, value).ports()
    raise reject("WrongType", f"expected a port, got {kind(value)}", _SHORT_HINT)


def located_ports(value: object) -> list[tuple[Path, Port]]:
    """Every port that the list ``value`` declares, with the path of its entry within the list.

    No two entries may want the same host port.
    """
    entries, problems = gather(enumerate(as_list(value, MAX_PORTS)), _entry)
    located: list[tuple[Path, Port]] = [((i,), port) for i, ports in entries for port in ports]
    if len(located) > MAX_PORTS:
        raise reject("TooLarge", f"it publishes {len(located)} ports, more than {MAX_PORTS}")
    if problems := [*problems, *_clashes(located)]:
        raise ProblemsError(*problems)
    return located


def parse_ports(value: object) -> tuple[Port, ...]:
    """The value of ``ports``, in canonical order."""
    ports = (port for _, port in located_ports(value))
    return tuple(sorted(ports, key=lambda port: port.order))


def _clashes(located: list[tuple[Path, Port]]) -> Iterator[Problem]:
    taken: dict[tuple[int, str], list[tuple[Path, Port]]] = {}
    for path, port in located:
        same_number = taken.setdefault((port.host_port, port.protocol), [])
        for other_path, other in same_number:
            if same_address(port.host_ip, other.host_ip):
                why = f"host port {quote(str(port))} is taken by entry {other_path[0]} ({other})"
                yield Problem("DuplicateHostPort", why, "choose another host port", path)
                break
        same_number.append((path, port))


def same_host_port(one: HostPort, other: HostPort) -> bool:
    """Whether both need the same port of the same address of the host, or the same path."""
    if one[2] == "unix" or other[2] == "unix":
        return one == other
    return one[1:] == other[1:] and same_address(one[0], other[0])


def same_address(one: str, other: str) -> bool:
    """Whether a socket on ``one`` and one on ``other`` exclude each other.

    Empty is every address of both families; ``0.0.0.0`` and ``::`` are every address of their own,
    so that a file may publish the same port on one address of each.
    """
    if not one or not other or one == other:
        return True
    first, second = ipaddress.ip_address(one), ipaddress.ip_address(other)
    if first.version != second.version:
        return False
    return first.is_unspecified or second.is_unspecified
