"""A fake org.freedesktop.systemd1 on a bus, in front of `manager.Manager`."""

import asyncio
import itertools
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from dbus_fast import Message, MessageType, NameFlag, RequestNameReply, Variant
from dbus_fast.aio import MessageBus

from tests.fakes import unit_files
from tests.fakes.manager import ROOT, FakeUnit, Job, Manager, ManagerError

NAME = "org.freedesktop.systemd1"
MANAGER = f"{NAME}.Manager"
PROPERTIES = "org.freedesktop.DBus.Properties"
_LIST = "a(ssssssouso)"
# Messages that are sent before the bus is seen to have read them.
_UNREAD = 32


class FakeSystemd:
    """The user manager's face on the bus.

    `calls` lists the methods that were called, but for Get: ("StartUnit", "workload-web.service").
    `early_signals` sends the end of a job before the reply that names it. `fail_next` answers the
    next call of a method with an error; `deaf` to a method gives no answer at all.
    """

    def __init__(self, address: str, manager: Manager) -> None:
        self.manager = manager
        self.calls: list[tuple[str, str]] = []
        self.property_reads = 0
        self.early_signals = False
        self.fail_next: dict[str, tuple[str, str]] = {}
        self.transient: list[tuple[str, dict[str, Any]]] = []
        self.transient_result = "done"
        self.deaf: set[str] = set()
        self._address = address
        self._bus: MessageBus | None = None
        self._subscribers: set[str] = set()
        self._early: dict[str, list[Message]] = {}
        self._outbox: asyncio.Queue[Message] = asyncio.Queue()
        self._postman: asyncio.Task[None] | None = None
        manager.changed = self._unit_changed
        manager.removed = self._job_removed

    async def start(self) -> None:
        """Connect and take the name."""
        self._bus = await MessageBus(self._address).connect()
        self._bus.add_message_handler(self._handle)
        reply = await self._bus.request_name(NAME, NameFlag.DO_NOT_QUEUE)
        assert reply is RequestNameReply.PRIMARY_OWNER
        self._outbox = asyncio.Queue()
        self._postman = asyncio.create_task(self._post(self._bus))

    async def stop(self) -> None:
        """Leave the bus: units and containers go on."""
        if self._postman is not None:
            self._postman.cancel()
            await asyncio.wait([self._postman])
        if self._bus is not None:
            bus, self._bus = self._bus, None
            self._subscribers.clear()
            if bus.connected:
                bus.disconnect()
                with suppress(EOFError, OSError):
                    await bus.wait_for_disconnect()  # type: ignore[no-untyped-call]

    async def reexecute(self) -> None:
        """daemon-reexec: a new connection, and nobody subscribed."""
        await self.stop()
        await self.start()

    def unit_files_changed(self) -> None:
        """What enable, disable, mask and unmask tell."""
        self._signal(ROOT, MANAGER, "UnitFilesChanged")

    def reload(self) -> None:
        """A daemon-reload, with the signals around it."""
        self._signal(ROOT, MANAGER, "Reloading", "b", True)
        self.manager.reload()
        self._signal(ROOT, MANAGER, "Reloading", "b", False)

    def _handle(self, message: Message) -> Message | bool | None:
        if message.message_type is not MessageType.METHOD_CALL:
            return None
        member = message.member or ""
        if member in self.deaf:
            return True
        argument = message.body[0] if message.signature.startswith("s") else ""
        if member == "Get":
            self.property_reads += 1
        else:
            self.calls.append((member, argument))
        if member in self.fail_next:
            return Message.new_error(message, *self.fail_next.pop(member))
        try:
            return self._answer(message, member)
        except ManagerError as error:
            return Message.new_error(message, error.name, error.text)

    def _answer(self, message: Message, member: str) -> Message | bool | None:
        match member:
            case "Subscribe":
                return self._subscribe(message)
            case "Reload":
                self.reload()
                return Message.new_method_return(message)
            case "StartUnit" | "StopUnit" | "RestartUnit":
                return self._dispatch(message, member.removesuffix("Unit").lower())
            case "StartTransientUnit":
                return self._dispatch_transient(message)
            case "CleanUnit":
                self.manager.clean(message.body[0])
                return Message.new_method_return(message)
            case "ResetFailedUnit":
                self.manager.reset_failed(message.body[0])
                return Message.new_method_return(message)
            case "ListUnitsByPatterns":
                return Message.new_method_return(message, _LIST, [self._list(message.body[1])])
            case "Get":
                return self._get(message)
        return None

    def _subscribe(self, message: Message) -> Message:
        sender = message.sender or ""
        if sender in self._subscribers:
            raise ManagerError("AlreadySubscribed", "Client is already subscribed.")
        self._subscribers.add(sender)
        return Message.new_method_return(message)

    def _dispatch(self, message: Message, kind: str) -> Message | bool:
        job = self.manager.dispatch(kind, message.body[0])
        reply = Message.new_method_return(message, "o", [job.path])
        if self.early_signals:
            self._early.setdefault(job.path, []).append(reply)
            return True
        return reply

    def _dispatch_transient(self, message: Message) -> Message:
        """A transient service ends as soon as it has begun, as `transient_result` says."""
        unit, _, properties, _ = message.body
        self.transient.append((unit, {name: value.value for name, value in properties}))
        job = Job(self.manager.next_id(), "start", unit)
        asyncio.get_running_loop().call_soon(self._job_removed, job, self.transient_result)
        return Message.new_method_return(message, "o", [job.path])

    def _list(self, patterns: list[str]) -> list[list[Any]]:
        units = self.manager.units.values()
        return [_row(unit) for unit in units if unit_files.matches(unit.name, patterns)]

    def _get(self, message: Message) -> Message:
        interface, name = message.body
        if message.path == ROOT:
            value = Variant("t", int(self.manager.started_at * 1_000_000))
            return Message.new_method_return(message, "v", [value])
        units = {unit.path: unit for unit in self.manager.units.values()}
        unit = units.get(message.path or "")
        if unit is None:
            error = "org.freedesktop.DBus.Error.UnknownObject"
            return Message.new_error(message, error, f"Unknown object '{message.path}'.")
        self.manager.load(unit.name)
        value = self._properties(unit)[interface.removeprefix(f"{NAME}."), name]()
        return Message.new_method_return(message, "v", [value])

    def _properties(self, unit: FakeUnit) -> dict[tuple[str, str], Callable[[], Variant]]:
        return {
            ("Service", "Result"): lambda: Variant("s", unit.result),
            ("Service", "NRestarts"): lambda: Variant("u", unit.restarts),
            ("Service", "TimeoutStartUSec"): lambda: _span(unit, "TimeoutStartSec"),
            ("Service", "TimeoutStopUSec"): lambda: _span(unit, "TimeoutStopSec"),
            ("Unit", "ActiveEnterTimestamp"): lambda: Variant(
                "t", int(unit.active_enter * 1_000_000)
            ),
            ("Socket", "Result"): lambda: Variant("s", unit.result),
            ("Timer", "Result"): lambda: Variant("s", unit.result),
            ("Timer", "NextElapseUSecRealtime"): lambda: Variant(
                "t", int(unit.next_elapse * 1_000_000) or 2**64 - 1
            ),
            ("Timer", "LastTriggerUSec"): lambda: Variant("t", int(unit.last_trigger * 1_000_000)),
            ("Unit", "NeedDaemonReload"): lambda: Variant("b", self.manager.needs_reload(unit)),
        }

    def _unit_changed(self, unit: FakeUnit) -> None:
        changed = {"ActiveState": Variant("s", unit.active_state)}
        interface = f"{NAME}.Unit"
        self._signal(unit.path, PROPERTIES, "PropertiesChanged", "sa{sv}as", interface, changed, [])

    def _job_removed(self, job: Job, result: str) -> None:
        body = (job.id, job.path, job.unit, result)
        self._signal(ROOT, MANAGER, "JobRemoved", "uoss", *body)
        for reply in self._early.pop(job.path, ()):
            self._outbox.put_nowait(reply)

    def _signal(
        self, path: str, interface: str, member: str, signature: str = "", *body: Any
    ) -> None:
        if self._subscribers:
            message = Message.new_signal(path, interface, member, signature, list(body))
            self._outbox.put_nowait(message)

    async def _post(self, bus: MessageBus) -> None:
        """Send signals no faster than the bus takes them: dbus-fast fails on a full socket."""
        for count in itertools.count(1):
            bus.send(await self._outbox.get())
            if count % _UNREAD == 0:
                await bus.call(
                    Message("org.freedesktop.DBus", "/", "org.freedesktop.DBus.Peer", "Ping")
                )


def _span(unit: FakeUnit, key: str) -> Variant:
    """A time span of the unit's file; systemd's own where it says none."""
    span = unit_files.seconds(unit.file.value(key, "90"))
    return Variant("t", 2**64 - 1 if span == float("inf") else int(span * 1_000_000))


def _row(unit: FakeUnit) -> list[Any]:
    """A line of ListUnitsByPatterns."""
    job = unit.job
    return [
        unit.name,
        unit.file.value("Description", unit.name),
        unit.file.load_state,
        unit.active_state,
        unit.sub_state,
        "",
        unit.path,
        job.id if job else 0,
        job.kind if job else "",
        job.path if job else "/",
    ]
