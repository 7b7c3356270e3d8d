"""The networks that a workload is in, and how it is known there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import BeforeValidator, Field

from workloadd.spec.base import optional
from workloadd.spec.names import check_name
from workloadd.spec.network import (
    SHARED_NETWORK,
    NetworkOptions,
    parse_address,
    parse_interface_name,
)
from workloadd.spec.problems import Problem, ProblemsError, each, gather, reject
from workloadd.spec.text import as_line, as_list, kind, quote
from workloadd.spec.translate import validated

MAX_NETWORKS = 32

_LABEL = "[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?"
_ALIAS = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_MAC = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}")
# What Compose and Podman call a way to be connected, not a network.
_MODES = ("bridge", "host", "none", "pasta", "slirp4netns")
_HINT = "write a list of names, or a mapping: NAME: {aliases: […]}"


def _alias(value: object) -> str:
    text = as_line(value, 253).lower()
    if not _ALIAS.fullmatch(text):
        raise reject("BadValue", f"{quote(text)} is not a DNS name", "for example db or db.local")
    return text


def _aliases(value: object) -> tuple[str, ...]:
    return tuple(dict.fromkeys(alias for _, alias in each(enumerate(as_list(value)), _alias)))


def _ipv4(value: object) -> str:
    return parse_address(value, 4)


def _ipv6(value: object) -> str:
    return parse_address(value, 6)


def _mac(value: object) -> str:
    text = as_line(value).lower().replace("-", ":")
    if not _MAC.fullmatch(text):
        hint = "write for example 02:42:ac:11:00:02"
        raise reject("BadAddress", f"{quote(text)} is not a MAC address", hint)
    if int(text[:2], 16) & 1:
        raise reject("BadAddress", f"{quote(text)} is a multicast address", "begin it with 02")
    return text


class Attachment(NetworkOptions):
    """A workload in one network; for a network of its own also what that network is like."""

    aliases: Annotated[
        tuple[str, ...], BeforeValidator(_aliases, json_schema_input_type=list[str])
    ] = Field(
        default=(),
        description="Names by which others in the network find it, besides the workload's own.",
        examples=[["db", "database.internal"]],
    )
    ipv4_address: Annotated[
        str | None,
        BeforeValidator(optional(_ipv4), json_schema_input_type=str | None),
    ] = Field(default=None, description="Its IPv4 address in the network.", examples=["10.89.7.20"])
    ipv6_address: Annotated[
        str | None,
        BeforeValidator(optional(_ipv6), json_schema_input_type=str | None),
    ] = Field(default=None, description="Its IPv6 address in the network.", examples=["fd00:7::20"])
    mac_address: Annotated[
        str | None, BeforeValidator(optional(_mac), json_schema_input_type=str | None)
    ] = Field(
        default=None,
        description="MAC address of its interface.",
        examples=["02:42:ac:11:00:02"],
    )
    interface_name: Annotated[
        str | None,
        BeforeValidator(optional(parse_interface_name), json_schema_input_type=str | None),
    ] = Field(
        default=None,
        description="Name of its interface inside the container; eth0, eth1 … where left out.",
        examples=["front0"],
    )

    @property
    def own_options(self) -> set[str]:
        """What is said of the network itself."""
        return set(self.made_of()) | ({"labels"} if self.labels else set())


def shared_network(name: str) -> str | None:
    """The shared network that ``NAME.network`` names, or None for one of the workload's own."""
    return name.removesuffix(SHARED_NETWORK) if name.endswith(SHARED_NETWORK) else None


def parse_networks(value: object) -> Mapping[str, Attachment]:
    """The value of ``networks``, sorted by name."""
    if isinstance(value, dict):
        if len(value) > MAX_NETWORKS:
            raise reject("TooLarge", f"it has {len(value)} networks, more than {MAX_NETWORKS}")
        found, problems = gather(value.items(), _attachment)
        problems += _misnamed(found)
    else:
        if isinstance(value, str) or not isinstance(value, list | tuple):
            raise reject("WrongType", f"expected a list, got {kind(value)}", _HINT)
        names = [name for _, name in each(enumerate(as_list(value, MAX_NETWORKS)), as_line)]
        if repeated := next((i for i, n in enumerate(names) if n in names[:i]), None):
            raise reject("DuplicateKey", f"{quote(names[repeated])} is there twice", "", repeated)
        found = [(name, Attachment()) for name in names]
        positions = {name: index for index, name in enumerate(names)}
        problems = [
            Problem(p.reason, p.why, p.hint, (positions[str(p.path[0])],)) for p in _misnamed(found)
        ]
    if problems:
        raise ProblemsError(*problems)
    return dict(sorted(found))


def _attachment(value: object) -> Attachment:
    return Attachment() if value is None else validated(Attachment, value)


def _misnamed(found: list[tuple[str, Attachment]]) -> Iterator[Problem]:
    for name, attachment in found:
        shared = shared_network(name)
        if shared is None and name in _MODES:
            hint = f"write network_mode: {name}"
            yield Problem("InvalidName", f"{quote(name)} is a network mode", hint, (name,), True)
        elif why := check_name(name if shared is None else shared):
            said = f"{quote(name)} cannot be the name of a network: {why}"
            yield Problem("InvalidName", said, "", (name,), True)
        elif shared is not None and (options := sorted(attachment.own_options)):
            why = f"the network {shared} is what its own file says"
            yield Problem("NotHere", why, f"write it in {shared}.yaml", (name, options[0]), True)
