"""The states of our units: one listing a look, and details only of what may have changed.

A line of the listing has the load, active and sub state and the job. The rest of a `UnitState`
are properties that cost systemd and us a call each, for a hundred units some hundred calls.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import Any

from workloadd.core.errors import Permanent, WorkloaddError
from workloadd.core.names import UNIT_PREFIX, UNIT_SUFFIX
from workloadd.core.observed import UnitState
from workloadd.core.socket_units import SOCKET_SUFFIX
from workloadd.host.bus import MANAGER, MANAGER_PATH, PROPERTIES, SYSTEMD

_TIMER_SUFFIX = ".timer"
PATTERNS = [f"{UNIT_PREFIX}*{suffix}" for suffix in (UNIT_SUFFIX, _TIMER_SUFFIX, SOCKET_SUFFIX)]

_UNITS_PATH = f"{MANAGER_PATH}/unit/"
_OUR_UNITS_PATH = f"{_UNITS_PATH}workload_2d"
_ESCAPE = re.compile(r"_([0-9a-f]{2})")

_UNIT = f"{SYSTEMD}.Unit"
_SERVICE = f"{SYSTEMD}.Service"
_SOCKET = f"{SYSTEMD}.Socket"
_DETAILS = (
    (_SERVICE, "Result"),
    (_SERVICE, "NRestarts"),
    (_UNIT, "ActiveEnterTimestamp"),
    (_UNIT, "NeedDaemonReload"),
)
_SOCKET_DETAILS = (
    (_SOCKET, "Result"),
    (_UNIT, "ActiveEnterTimestamp"),
    (_UNIT, "NeedDaemonReload"),
)

_TIMER = f"{SYSTEMD}.Timer"
_TIMER_DETAILS = (
    (_UNIT, "NeedDaemonReload"),
    (_TIMER, "Result"),
    (_TIMER, "NextElapseUSecRealtime"),
    (_TIMER, "LastTriggerUSec"),
)
# What systemd writes for a time that never comes.
_NEVER = 2**64 - 1

_TIMEOUTS = ((_SERVICE, "TimeoutStartUSec"), (_SERVICE, "TimeoutStopUSec"))
# Seconds for systemd itself to see that a unit's time is up, and to say so.
_MARGIN = 10.0

# A line of ListUnitsByPatterns: name, description, load state, active state, sub state, followed
# unit, object path, job ID, job type, job path.
_Line = list[Any]


def unit_of_path(path: str) -> str:
    """The unit behind an object path, or "" where it is none of ours."""
    if not path.startswith(_OUR_UNITS_PATH):
        return ""
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), path[len(_UNITS_PATH) :])


def path_of_unit(unit: str) -> str:
    """The object path of a unit."""
    escaped = (c if c.isascii() and c.isalnum() else f"_{ord(c):02x}" for c in unit)
    return _UNITS_PATH + "".join(escaped)


class UnitTable:
    """What was last seen of our units. `call` is `Bus.call` on the current connection."""

    def __init__(self, call: Callable[..., Awaitable[list[Any]]]) -> None:
        self._call = call
        self._lines: dict[str, _Line] = {}
        self._states: dict[str, UnitState] = {}
        self._dirty: set[str] = set()

    def mark(self, unit: str) -> None:
        """The details of a unit may have changed."""
        self._dirty.add(unit)

    def names(self) -> list[str]:
        """The units that there were at the last look."""
        return list(self._states)

    def reloaded(self) -> None:
        """systemd read all unit files: whoever needed that no longer does.

        What else a reload changed shows in the listing or is told by a signal.
        """
        self._dirty.update(unit for unit, state in self._states.items() if state.needs_reload)

    def forget(self) -> None:
        """Ask for everything again."""
        self._lines.clear()
        self._states.clear()

    async def look(self, refresh: Collection[str]) -> dict[str, UnitState]:
        """The states of all loaded units of ours; those in `refresh` are asked for again."""
        # Marks that come while we ask are for the next look.
        dirty, self._dirty = {*self._dirty, *refresh}, set()
        try:
            reply = await self._call(
                MANAGER_PATH,
                MANAGER,
                "ListUnitsByPatterns",
                "asas",
                ([], PATTERNS),
                doing="list the units",
            )
            lines = {line[0]: line for line in reply[0]}
            stale = [
                unit
                for unit, line in lines.items()
                if unit in dirty or unit not in self._states or line != self._lines[unit]
            ]
            fresh = await asyncio.gather(*(self._details(lines[unit]) for unit in stale))
        except BaseException:
            self._dirty |= dirty
            raise
        known = {unit: state for unit, state in self._states.items() if unit in lines}
        self._states = known | dict(zip(stale, fresh, strict=True))
        self._lines = lines
        return dict(self._states)

    async def patience(self, unit: str) -> float:
        """Seconds that a service may take to stop and to start, 0 where it is not known or endless.

        Of what is endless nobody can say that it hangs: whoever waits for it has to look again.
        """
        if not unit.endswith(UNIT_SUFFIX):
            return 0.0
        path = path_of_unit(unit)
        try:
            limits = [await self._property(unit, path, *name) for name in _TIMEOUTS]
        except WorkloaddError:
            return 0.0
        return 0.0 if _NEVER in limits else sum(limits) / 1_000_000 + _MARGIN

    async def _details(self, line: _Line) -> UnitState:
        try:
            if line[0].endswith(_TIMER_SUFFIX):
                return await self._timer(line)
            if line[0].endswith(SOCKET_SUFFIX):
                return await self._socket(line)
            return await self._service(line)
        except Permanent as error:
            if error.problem.reason != "NoSuchUnit":
                raise
            return UnitState()  # unloaded since it was listed

    async def _timer(self, line: _Line) -> UnitState:
        needs_reload, result, next_at, triggered_at = await self._properties(line, _TIMER_DETAILS)
        return UnitState(
            load_state=line[2],
            active_state=line[3],
            sub_state=line[4],
            result=result,
            needs_reload=needs_reload,
            job=line[8],
            next_at=0.0 if next_at == _NEVER else next_at / 1_000_000,
            triggered_at=triggered_at / 1_000_000,
        )

    async def _service(self, line: _Line) -> UnitState:
        result, restarts, active_since, needs_reload = await self._properties(line, _DETAILS)
        return UnitState(
            load_state=line[2],
            active_state=line[3],
            sub_state=line[4],
            result=result,
            restarts=restarts,
            active_since=active_since / 1_000_000,
            needs_reload=needs_reload,
            job=line[8],
        )

    async def _socket(self, line: _Line) -> UnitState:
        result, active_since, needs_reload = await self._properties(line, _SOCKET_DETAILS)
        return UnitState(
            load_state=line[2],
            active_state=line[3],
            sub_state=line[4],
            result=result,
            active_since=active_since / 1_000_000,
            needs_reload=needs_reload,
            job=line[8],
        )

    async def _properties(self, line: _Line, wanted: Iterable[tuple[str, str]]) -> list[Any]:
        unit, path = line[0], line[6]
        return await asyncio.gather(*(self._property(unit, path, *name) for name in wanted))

    async def _property(self, unit: str, path: str, interface: str, name: str) -> Any:
        reply = await self._call(
            path, PROPERTIES, "Get", "ss", (interface, name), doing=f"ask for the state of {unit}"
        )
        return reply[0].value
