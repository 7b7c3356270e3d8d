"""A connection to the user's D-Bus: calls with a deadline, matches, all bus errors translated."""

import asyncio
import logging
import os
from collections.abc import Callable
from typing import Any

from dbus_fast import AuthError, Message, MessageType
from dbus_fast.aio import MessageBus
from dbus_fast.errors import DBusFastError

from workloadd.core.errors import Permanent, Transient, WorkloaddError

log = logging.getLogger(__name__)

BUS = "org.freedesktop.DBus"
PROPERTIES = f"{BUS}.Properties"
SYSTEMD = "org.freedesktop.systemd1"
MANAGER = f"{SYSTEMD}.Manager"
MANAGER_PATH = "/org/freedesktop/systemd1"
_MAX_WORDS = 400
# How the end of a connection looks.
_BROKEN = (OSError, EOFError, DBusFastError)
# dbus-fast takes a full socket buffer (a few hundred messages) for the end of the connection.
_MAX_IN_FLIGHT = 32

# The last parts of error names, and what they mean to us. Names of systemd's own errors are those
# of bus-common-errors.h, the others of the D-Bus specification.
_TRANSIENT = {
    "ShuttingDown": "SystemdShuttingDown",
    "TransactionIsDestructive": "JobConflict",
    "TransactionJobsConflicting": "JobConflict",
    "NoReply": "SystemdUnavailable",
    "Timeout": "SystemdUnavailable",
    "TimedOut": "SystemdUnavailable",
    "ServiceUnknown": "SystemdUnavailable",
    "NameHasNoOwner": "SystemdUnavailable",
    "Disconnected": "SystemdUnavailable",
    "NoServer": "SystemdUnavailable",
    "NoMemory": "SystemdUnavailable",
    "LimitsExceeded": "SystemdBusy",
}
_PERMANENT = {
    "NoSuchUnit": "NoSuchUnit",
    "UnknownObject": "NoSuchUnit",
    "AlreadySubscribed": "AlreadySubscribed",
    "UnitMasked": "UnitMasked",
    "LoadFailed": "UnitNotLoaded",
    "BadUnitSetting": "UnitNotLoaded",
    "JobTypeNotApplicable": "JobNotApplicable",
    "OnlyByDependency": "JobNotApplicable",
    "AccessDenied": "AccessDenied",
    "InteractiveAuthorizationRequired": "AccessDenied",
    "InvalidArgs": "SystemdRejected",
    "UnknownMethod": "SystemdRejected",
}
_HINT = "is the user manager running? loginctl enable-linger USER"


def session_address() -> str:
    """Where the user's bus is: DBUS_SESSION_BUS_ADDRESS, else the socket in XDG_RUNTIME_DIR."""
    if address := os.environ.get("DBUS_SESSION_BUS_ADDRESS"):
        return address
    runtime = os.environ.get("XDG_RUNTIME_DIR", f"/run/user/{os.getuid()}")
    return f"unix:path={runtime}/bus"


def refused(doing: str, name: str, text: str) -> WorkloaddError:
    """The error for a D-Bus error reply. `doing` completes "cannot …"."""
    words = " ".join(text.split())[:_MAX_WORDS]
    message = f"cannot {doing}: {words or name}"
    last = name.rpartition(".")[2]
    if last in _TRANSIENT:
        return Transient(_TRANSIENT[last], message)
    if last in _PERMANENT:
        return Permanent(_PERMANENT[last], message)
    return Transient("SystemdError", message)


def unavailable(doing: str, error: BaseException | str, hint: str = "") -> Transient:
    """The error for a call that got no reply."""
    words = (getattr(error, "strerror", None) or str(error) or type(error).__name__).strip()
    return Transient("SystemdUnavailable", f"cannot {doing}: {words}", hint)


class Bus:
    """One connection. `on_signal` gets every signal, `on_lost` is called once when it breaks."""

    def __init__(
        self, address: str, on_signal: Callable[[Message], None], on_lost: Callable[[], None]
    ) -> None:
        self._bus = MessageBus(address)
        self._on_signal = on_signal
        self._on_lost = on_lost
        self._watch: asyncio.Task[None] | None = None
        self._closing = False
        self._in_flight = asyncio.Semaphore(_MAX_IN_FLIGHT)

    async def connect(self, timeout: float = 25.0) -> None:
        """Connect and say hello."""
        doing = "connect to the user bus"
        try:
            async with asyncio.timeout(timeout):
                await self._bus.connect()
        except TimeoutError as error:
            raise unavailable(doing, f"no answer within {timeout:g} s", _HINT) from error
        except AuthError as error:
            raise Permanent("BusRefusesUs", f"cannot {doing}: {error}") from error
        except _BROKEN as error:
            raise unavailable(doing, error, _HINT) from error
        self._bus.add_message_handler(self._handle)
        self._watch = asyncio.create_task(self._wait_lost())

    async def close(self) -> None:
        """Disconnect; `on_lost` is not called then."""
        self._closing = True
        if self._bus.connected:
            self._bus.disconnect()
        if self._watch is not None:
            await self._watch

    async def call(
        self,
        path: str,
        interface: str,
        member: str,
        signature: str = "",
        body: tuple[Any, ...] = (),
        *,
        doing: str,
        destination: str = SYSTEMD,
        timeout: float = 25.0,
    ) -> list[Any]:
        """Call a method and return the values of its reply. `timeout` is in seconds."""
        if not self._bus.connected:
            raise unavailable(doing, "not connected to the user bus")
        message = Message(
            destination=destination,
            path=path,
            interface=interface,
            member=member,
            signature=signature,
            body=list(body),
        )
        try:
            async with asyncio.timeout(timeout), self._in_flight:
                reply = await self._bus.call(message)
        except TimeoutError as error:
            raise unavailable(doing, f"no answer within {timeout:g} s") from error
        except Exception as error:
            # What breaks the connection, whatever it is, is what its calls get.
            if self._bus.connected and not isinstance(error, _BROKEN):
                raise
            raise unavailable(doing, error) from error
        if reply is None:
            raise unavailable(doing, "the connection to the user bus broke")
        if reply.message_type is MessageType.ERROR:
            text = reply.body[0] if reply.body and isinstance(reply.body[0], str) else ""
            raise refused(doing, reply.error_name or "", text)
        return list(reply.body)

    async def match(self, **rule: str) -> None:
        """Have the bus send us the signals that fit a match rule."""
        text = ",".join(f"{key}='{value}'" for key, value in {"type": "signal", **rule}.items())
        await self.call(
            "/org/freedesktop/DBus",
            BUS,
            "AddMatch",
            "s",
            (text,),
            doing="listen on the user bus",
            destination=BUS,
        )

    def _handle(self, message: Message) -> None:
        if message.message_type is MessageType.SIGNAL:
            self._on_signal(message)

    async def _wait_lost(self) -> None:
        try:
            await self._bus.wait_for_disconnect()  # type: ignore[no-untyped-call]
        except _BROKEN:
            pass
        except Exception as error:  # noqa: BLE001 - of a message that cannot be read it may be any
            log.warning("cannot read what came from the user bus: %r", error)
        if not self._closing:
            self._on_lost()
