"""Limits of a container's control group."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from workloadd.spec.base import SpecModel, optional
from workloadd.spec.forms import SizeForm
from workloadd.spec.problems import Problem, ProblemsError, reject
from workloadd.spec.text import as_line, kind, quote
from workloadd.spec.units import format_size, parse_size

MIN_MEMORY = 1024 * 1024
MAX_PIDS = 4194304
"""PID_MAX_LIMIT of a 64-bit kernel."""

_SET = re.compile(r"[0-9]{1,4}(?:-[0-9]{1,4})?(?:,[0-9]{1,4}(?:-[0-9]{1,4})?)*")


def _memory(value: object) -> int:
    size = parse_size(value)
    if size < MIN_MEMORY:
        hint = f"write {value}m for mebibytes" if str(value).isdigit() else ""
        raise reject("BadValue", f"{size} bytes are too little for any process", hint)
    return size


def _cpus(value: object) -> object:
    if isinstance(value, str):
        raise reject(
            "WrongType", f"expected a number, got {kind(value)}", "write it without quotes"
        )
    return value


def _set(value: object) -> str:
    """Numbers and ranges, in order and joined where they touch."""
    text = str(int(value)) if isinstance(value, int) and not isinstance(value, bool) else value
    line = as_line(text)
    if not _SET.fullmatch(line):
        raise reject("BadValue", f"{quote(line)} is no set of numbers", "write for example 0-3,8")
    numbers: set[int] = set()
    for part in line.split(","):
        first, _, last = part.partition("-")
        if last and int(last) < int(first):
            raise reject("BadValue", f"the range {quote(part)} runs backwards")
        numbers.update(range(int(first), int(last or first) + 1))
    return _ranges(sorted(numbers))


def _ranges(numbers: list[int]) -> str:
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1] = [parts[-1][0], number]
        else:
            parts.append([number])
    return ",".join("-".join(map(str, part)) for part in parts)


_Memory = Annotated[
    int | None, BeforeValidator(optional(_memory), json_schema_input_type=SizeForm | None)
]
_Set = Annotated[
    str | None, BeforeValidator(optional(_set), json_schema_input_type=int | str | None)
]


class Resources(SpecModel):
    """Limits that the kernel enforces on the workload's control group."""

    memory: _Memory = Field(
        default=None,
        description="Memory, beyond which the kernel ends a process of the container.",
        examples=["512m", "1.5g"],
    )
    memory_reservation: _Memory = Field(
        default=None,
        description="Memory that is left to the container as long as the host has any.",
        examples=["256m"],
    )
    memory_swap: _Memory = Field(
        default=None,
        description="Memory and swap together, at least memory; as much as memory means no swap.",
        examples=["1g"],
        json_schema_extra={"beside": {"memory": "512m"}},
    )
    cpus: Annotated[float | None, BeforeValidator(_cpus)] = Field(
        default=None,
        ge=0.01,
        le=4096,
        allow_inf_nan=False,
        description="Processor time, in processors.",
        examples=[0.5, 2],
    )
    cpu_shares: int | None = Field(
        default=None,
        ge=2,
        le=262144,
        description="Share of the processors where others want them too; 1024 is usual.",
        examples=[512],
    )
    cpuset: _Set = Field(
        default=None, description="Processors to run on, by number.", examples=["0-3,8"]
    )
    cpuset_mems: _Set = Field(
        default=None,
        description="Memory nodes to take memory from, by number.",
        examples=["0"],
    )
    pids: int | None = Field(
        default=None, ge=1, le=MAX_PIDS, description="Processes and threads.", examples=[100]
    )
    io_weight: int | None = Field(
        default=None,
        ge=10,
        le=1000,
        description="Share of the disks where others want them too; 100 is usual.",
        examples=[500],
    )

    @model_validator(mode="after")
    def _memory_agrees(self) -> Resources:
        memory, swap, reserved = self.memory, self.memory_swap, self.memory_reservation
        problems = []
        if swap is not None and (memory is None or swap < memory):
            why = "it comes to less than memory" if memory else "it needs memory beside it"
            hint = "it counts memory and swap together"
            problems.append(Problem("BadValue", why, hint, ("memory_swap",)))
        if memory is not None and reserved is not None and reserved > memory:
            why = f"it is more than memory, {format_size(memory)}"
            problems.append(Problem("BadValue", why, "", ("memory_reservation",)))
        if problems:
            raise ProblemsError(*problems)
        return self

    @property
    def controllers(self) -> frozenset[str]:
        """The cgroup controllers without which these limits would not hold."""
        wanted = {
            "memory": (self.memory, self.memory_reservation, self.memory_swap),
            "cpu": (self.cpus, self.cpu_shares),
            "cpuset": (self.cpuset, self.cpuset_mems),
            "pids": (self.pids,),
            "io": (self.io_weight,),
        }
        return frozenset(
            name for name, limits in wanted.items() if any(limit is not None for limit in limits)
        )


class ResourcesSpec(SpecModel):
    """What a container may use of the host."""

    resources: Resources = Field(
        default_factory=Resources,
        description="Limits on what the workload uses.",
        examples=[{"memory": "512m", "cpus": 0.5, "pids": 100}],
    )
