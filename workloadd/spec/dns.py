"""How names are resolved inside a container."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import BeforeValidator, Field

from workloadd.spec.base import SpecModel
from workloadd.spec.problems import ProblemsError, each, gather, reject
from workloadd.spec.text import as_line, as_list, kind, quote

HOST_GATEWAY = "host-gateway"
"""Podman's word for the address by which the container reaches the host."""

_LABEL = "[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
_OPTION = re.compile(r"[a-z][a-z0-9-]*(?::[0-9]{1,3})?")
_HOSTS_HINT = "write for example db: 10.0.0.5 or host: host-gateway"


def _address(value: object) -> str:
    text = as_line(value)
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        raise reject("BadAddress", f"{quote(text)} is not an IP address") from None


def _name(value: object) -> str:
    text = as_line(value, 254)
    if not _NAME.fullmatch(text):
        raise reject("BadValue", f"{quote(text)} is not a DNS name")
    return text.lower()


def _domain(value: object) -> str:
    """A search domain; ``.`` alone is none."""
    return "." if value == "." else _name(value)


def _option(value: object) -> str:
    text = as_line(value)
    if not _OPTION.fullmatch(text):
        hint = "write for example ndots:2 or use-vc, as resolv.conf(5) has them"
        raise reject("BadValue", f"{quote(text)} is no option of the resolver", hint)
    return text


def _listed(value: object) -> list[object]:
    """A list, or one text, as Compose has it."""
    return [value] if isinstance(value, str) else list(as_list(value))


def parse_servers(value: object) -> tuple[str, ...]:
    """The value of ``dns``, in the order in which they are asked."""
    return tuple(dict.fromkeys(one for _, one in each(enumerate(_listed(value)), _address)))


def parse_search(value: object) -> tuple[str, ...]:
    """The value of ``dns_search``, in order."""
    return tuple(dict.fromkeys(one for _, one in each(enumerate(_listed(value)), _domain)))


def parse_dns_options(value: object) -> tuple[str, ...]:
    """The value of ``dns_opt``, in order."""
    return tuple(dict.fromkeys(one for _, one in each(enumerate(_listed(value)), _option)))


def _host_address(value: object) -> str:
    return HOST_GATEWAY if value == HOST_GATEWAY else _address(value)


def _host_entry(value: object) -> list[str]:
    """One ``NAME:ADDRESS`` or ``NAME=ADDRESS``."""
    if not isinstance(value, str):
        raise reject("WrongType", f"expected NAME:ADDRESS, got {kind(value)}", _HOSTS_HINT)
    text = as_line(value)
    name, separator, address = text.partition("=" if "=" in text else ":")
    if not separator:
        raise reject("BadValue", f"{quote(text)} is not NAME:ADDRESS", _HOSTS_HINT)
    return [f"{_name(name)}:{_host_address(address.strip())}"]


def _host_pair(pair: tuple[str, object]) -> list[str]:
    name, value = pair
    try:
        name = _name(name)
    except ProblemsError as caught:
        raise reject("InvalidName", caught.problems[0].why, at_key=True) from None
    if not isinstance(value, list | tuple):
        return [f"{name}:{_host_address(value)}"]
    return [f"{name}:{address}" for _, address in each(enumerate(as_list(value)), _host_address)]


def _hosts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        entries, problems = gather(((n, (n, one)) for n, one in value.items()), _host_pair)
        lists = [entry for _, entry in entries]
    else:
        listed, problems = gather(enumerate(as_list(value)), _host_entry)
        lists = [entry for _, entry in listed]
    if problems:
        raise ProblemsError(*problems)
    for entry in lists:
        yield from entry


def parse_hosts(value: object) -> tuple[str, ...]:
    """The value of ``extra_hosts`` as ``NAME:ADDRESS``, sorted."""
    return tuple(sorted(set(_hosts(value))))


class DnsSpec(SpecModel):
    """Names inside a container."""

    dns: Annotated[
        tuple[str, ...], BeforeValidator(parse_servers, json_schema_input_type=str | list[str])
    ] = Field(
        default=(),
        description="Name servers in place of the host's.",
        examples=["9.9.9.9", ["9.9.9.9", "2620:fe::fe"]],
    )
    dns_opt: Annotated[
        tuple[str, ...], BeforeValidator(parse_dns_options, json_schema_input_type=str | list[str])
    ] = Field(
        default=(),
        description="Options of the resolver, as resolv.conf(5) has them.",
        examples=[["ndots:2", "use-vc"]],
    )
    dns_search: Annotated[
        tuple[str, ...], BeforeValidator(parse_search, json_schema_input_type=str | list[str])
    ] = Field(
        default=(),
        description="Domains in which names without a dot are looked up; . alone is none.",
        examples=["example.org", ["shop.example.org", "example.org"]],
    )
    extra_hosts: Annotated[
        tuple[str, ...],
        BeforeValidator(parse_hosts, json_schema_input_type=list[str] | dict[str, str | list[str]]),
    ] = Field(
        default=(),
        description="Lines for /etc/hosts: names with their address, or host-gateway for the "
        "host's; a mapping or a list of NAME:ADDRESS.",
        examples=[{"db": "10.0.0.5", "host": HOST_GATEWAY}, ["db:10.0.0.5"]],
    )
