"""Host ports and sockets that two workloads want.

A clash must not break both: whoever holds the port now keeps it, and without a holder the workload
whose name sorts first has it.  A workload is refused as a whole, so that what else it wants is free
for others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from workloadd.spec.errors import SpecError
from workloadd.spec.ports import HostPort, Port, located_ports, same_host_port
from workloadd.spec.problems import Path, Problem
from workloadd.spec.result import LoadResult
from workloadd.spec.sockets import Socket, located_sockets
from workloadd.spec.text import quote


@dataclass(frozen=True, slots=True)
class _Claim:
    workload: str
    port: HostPort


def host_paths(content: Mapping[str, object]) -> dict[HostPort, Path]:
    """Which entry of a valid file's content each port and socket of the host comes from."""
    paths: dict[HostPort, Path] = {}
    for path, port in located_ports(content.get("ports", [])):
        paths[port.host] = ("ports", *path)
    for path, socket in located_sockets(content.get("sockets", [])):
        paths[socket.host] = ("sockets", *path)
    return paths


class _Claims:
    """Ports that are spoken for, found by number and protocol."""

    def __init__(self) -> None:
        self._by_number: dict[tuple[int, str], list[_Claim]] = {}

    def add(self, claim: _Claim) -> None:
        self._by_number.setdefault(claim.port[1:], []).append(claim)

    def against(self, workload: str, port: HostPort) -> _Claim | None:
        """The claim of another workload that excludes ``port``."""
        for claim in self._by_number.get(port[1:], ()):
            if claim.workload != workload and same_host_port(claim.port, port):
                return claim
        return None


def duplicate_host_ports(
    loaded: Mapping[str, LoadResult], holders: Mapping[HostPort, str] | None = None
) -> dict[str, tuple[SpecError, ...]]:
    """Errors by workload for host ports that belong to another one.

    ``holders`` are the ports of the current deployments.  A holder's claim counts while its file
    still declares the port, or cannot be read (its last good version keeps running then); a holder
    whose file is gone, disabled or declares it no more is about to release the port.
    """
    claims = _Claims()
    for claim in _held(loaded, holders or {}):
        claims.add(claim)
    errors: dict[str, tuple[SpecError, ...]] = {}
    for name in sorted(loaded):
        found = tuple(_errors(name, loaded, claims))
        if found:
            errors[name] = tuple(sorted(found, key=lambda error: (error.line, error.column)))
            continue
        for port in _wanted(loaded[name]):
            claims.add(_Claim(name, port.host))
    return errors


def _wanted(result: LoadResult) -> tuple[Port | Socket, ...]:
    spec = result.workload
    return (*spec.ports, *spec.sockets) if spec and spec.enabled else ()


def _held(loaded: Mapping[str, LoadResult], holders: Mapping[HostPort, str]) -> Iterator[_Claim]:
    for held, name in holders.items():
        result = loaded.get(name)
        if result is None:
            continue
        if result.spec is None or any(same_host_port(held, p.host) for p in _wanted(result)):
            yield _Claim(name, held)


def _errors(name: str, loaded: Mapping[str, LoadResult], claims: _Claims) -> Iterator[SpecError]:
    result = loaded[name]
    for port in _wanted(result):
        claim = claims.against(name, port.host)
        if claim is None:
            continue
        what = "socket" if port.host[2] == "unix" else "host port"
        why = f"{what} {quote(str(port))} is taken by {_where(claim, loaded[claim.workload])}"
        path = result.host_paths.get(port.host, ())
        hint = f"choose another {what}, or take it from the other one"
        yield result.positions.error(Problem("DuplicateHostPort", why, hint, path))


def _where(claim: _Claim, other: LoadResult) -> str:
    """The other workload and the line that declares the port, if a line does."""
    for port, path in other.host_paths.items():
        if same_host_port(port, claim.port):
            line, column = other.positions.at(path)
            file = other.positions.file_of(path)
            return f"{claim.workload} ({file}:{line}:{column})"
    return f"{claim.workload} ({other.positions.file})"
