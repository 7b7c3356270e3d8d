"""Ports that a container says it answers."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from workloadd.spec.base import SpecModel
from workloadd.spec.ports import MAX_PORTS, parse_protocol, port_range
from workloadd.spec.problems import each, reject
from workloadd.spec.text import as_list, kind

_HINT = "write for example 8080 or 9000-9010/udp"


def _exposed(value: object) -> list[str]:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise reject("WrongType", f"expected a port number, got {kind(value)}", _HINT)
    text, slash, protocol = str(value).partition("/")
    protocol = parse_protocol(protocol) if slash else "tcp"
    numbers = port_range(text)
    if len(numbers) > MAX_PORTS:
        raise reject("TooLarge", f"a range of {len(numbers)} ports is longer than {MAX_PORTS}")
    return [f"{number}/{protocol}" for number in numbers]


def parse_expose(value: object) -> tuple[str, ...]:
    """The value of ``expose`` as ``PORT/PROTOCOL``, one by one, in order."""
    entries = each(enumerate(as_list(value, MAX_PORTS)), _exposed)
    ports = {port for _, entry in entries for port in entry}
    if len(ports) > MAX_PORTS:
        raise reject("TooLarge", f"it exposes {len(ports)} ports, more than {MAX_PORTS}")
    return tuple(sorted(ports, key=lambda port: (int(port.partition("/")[0]), port)))


class ExposeSpec(SpecModel):
    """What a service on its own says of its ports; Podman has no such thing for a pod."""

    expose: Annotated[
        tuple[str, ...], BeforeValidator(parse_expose, json_schema_input_type=list[int | str])
    ] = Field(
        default=(),
        description="Ports that the container answers, for who looks; nothing is published.",
        examples=[[8080, "9000-9010/udp"]],
    )
