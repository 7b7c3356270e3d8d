"""Variables that a workload file may name, and what is known of each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

HOST_VARIABLES: Mapping[str, str] = {
    "HOST_NAME": "the host's name",
    "HOST_MACHINE_ID": "the content of /etc/machine-id",
    "HOST_ARCH": "the processor's architecture as images call it: amd64, arm64 …",
    "HOST_OS_ID": "the distribution, ID in /etc/os-release: fedora, debian …",
    "HOST_OS_VERSION": "its version, VERSION_ID in /etc/os-release",
}
"""Built-in variables that are the same for all workloads of a host."""

RESERVED = frozenset({*HOST_VARIABLES, "WORKLOAD", "INSTANCE"})
"""Names that nobody else can define."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable's value and where it is from.

    ``doubt`` says why the value cannot be relied on just now, where it cannot.
    """

    value: str = field(repr=False)
    origin: str = ""
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """What of the host a workload may run into; what is not known is as on most hosts.

    ``first_port`` is the first that others than root may listen on; ``controllers`` are those of
    cgroups that limits can be set with, None where that is not known.
    """

    first_port: int = 1024
    controllers: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """The variables that hold in a document, and what of the host it may run into.

    ``places`` are the directories that facts are read from.  ``doubt`` is set while some of them
    cannot be read, so that a variable that is missing here may only be out of sight.
    """

    variables: Mapping[str, Variable] = field(default_factory=dict)
    places: tuple[str, ...] = ()
    doubt: str = ""
    limits: Limits = Limits()

    @property
    def place(self) -> str:
        """The directory in which an administrator defines variables, empty if there is none."""
        return next(one for one in (*self.places, "") if one.startswith("/etc/") or not one)

    def having(self, more: Mapping[str, Variable]) -> Scope:
        """The same scope with ``more`` variables, over those of the same names."""
        return replace(self, variables={**self.variables, **more})
