"""What people ask for by hand, once they may: checked against the status, kept, and told.

Nothing is done here. It is kept in the history, and the next pass plans by it.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Protocol

from workloadd.core.errors import Declined, Transient
from workloadd.core.hands import Answer, Ask, Hand
from workloadd.core.names import SHORT, SHORTEST
from workloadd.core.status import WorkloadStatus
from workloadd.history import RolloutRow

log = logging.getLogger(__name__)

Act = Callable[[WorkloadStatus, Ask], Awaitable[Answer]]


class HandsKept(Protocol):
    """What is needed of where wishes are kept."""

    async def of(self, workload: str) -> Mapping[str, Hand]: ...


class HistoryKept(Protocol):
    """What is needed of the history."""

    @property
    def hands(self) -> HandsKept: ...

    async def set_hand(self, hand: Hand) -> None: ...

    async def clear_hand(self, hand: Hand) -> None: ...

    async def forget_bad(self, workload: str) -> None: ...

    async def note(self, workload: str, at: float, kind: str, message: str) -> None: ...

    async def rollouts(self, workload: str, limit: int = ...) -> list[RolloutRow]: ...


class ByHand:
    """What may be asked for by hand, each thing the same when it is asked for twice.

    `key_of` tells the key of a workload's file as it is now (see `revision.spec_key`), "" where
    there is none; `forget` has bad revisions forgotten that only the running daemon knows.
    """

    def __init__(
        self,
        history: HistoryKept,
        key_of: Callable[[str], str],
        forget: Callable[[str], None],
        clock: Callable[[], float],
        wake: Callable[[], None],
    ) -> None:
        self._history = history
        self._key_of = key_of
        self._forget = forget
        self._clock = clock
        self._wake = wake

    @property
    def actions(self) -> dict[str, Act]:
        """What may be asked for, by name."""
        return {
            "pause": self.pause,
            "stop": self.stop,
            "start": self.start,
            "restart": self.restart,
            "rollback": self.rollback,
            "resume": self.resume,
            "update": self.update,
        }

    async def pause(self, workload: WorkloadStatus, ask: Ask) -> Answer:
        """Leave it alone until it is resumed."""
        hands = await self._history.hands.of(workload.name)
        if known := hands.get("pause"):
            return self._same(f"it is paused already, {known.words}")
        await self._set(Hand(workload.name, "pause", ask.by, self._clock(), ask.reason))
        return await self._told(workload, f"paused {ask.words}")

    async def stop(self, workload: WorkloadStatus, ask: Ask) -> Answer:
        """Stop it until it is started or resumed."""
        hands = await self._history.hands.of(workload.name)
        if known := hands.get("stop"):
            return self._same(f"it is stopped already, {known.words}")
        _require_managed(workload, "stop")
        await self._set(Hand(workload.name, "stop", ask.by, self._clock(), ask.reason))
        return await self._told(workload, f"stopped {ask.words}")

    async def start(self, workload: WorkloadStatus, ask: Ask) -> Answer:
        """Take a stop back."""
        _require_managed(workload, "start")
        hands = await self._history.hands.of(workload.name)
        if workload.state == "Disabled" and "stop" not in hands:
            hint = f"write enabled: true into {workload.source}"
            raise Declined("Disabled", f"cannot start {workload.name}: {workload.message}", hint)
        if "stop" not in hands:
            hint = f" (workloadctl restart {workload.name} starts it anew)"
            return self._same(f"it is not stopped{hint}")
        await self._take_back(workload, [hands["stop"]], ask)
        return await self._told(workload, f"started {ask.words}")

    async def restart(self, workload: WorkloadStatus, ask: Ask) -> Answer:
        """Restart it once."""
        name = workload.name
        _require_managed(workload, "restart")
        hands = await self._history.hands.of(name)
        if "stop" in hands:
            hint = f"start it: workloadctl start {name}"
            raise Declined("Stopped", f"cannot restart {name}: {hands['stop'].words}", hint)
        if workload.job:
            hint = f"have it run now: workloadctl run {name}"
            raise Declined("IsAJob", f"cannot restart {name}: it is a job", hint)
        if workload.current is None or workload.state == "Disabled":
            why = workload.message or "it is not deployed yet"
            raise Declined("NotDeployed", f"cannot restart {name}: {why}")
        if known := hands.get("restart"):
            fields = {"at": known.at}
            return self._same(f"it is about to be restarted, {known.words}", fields)
        ready = workload.condition("Ready")
        if ready and ready.reason == "Listening":
            return self._same("nothing of it runs: it starts on the first connection")
        at = self._clock()
        await self._set(Hand(name, "restart", ask.by, at, ask.reason))
        self._wake()
        return Answer(f"to be restarted {ask.words}", fields={"at": at})

    async def rollback(self, workload: WorkloadStatus, ask: Ask) -> Answer:
        """Go back to a deployment that is still here, and hold it there."""
        name = workload.name
        _require_managed(workload, "roll back")
        hands = await self._history.hands.of(name)
        hold, to = hands.get("hold"), ask.parameters.get("to", "")
        if hold and hold.revision.startswith(to):
            fields = {"revision": hold.revision}
            return self._same(f"it is held at {hold.where} already, {hold.words}", fields)
        if "stop" in hands or "pause" in hands or workload.state == "Disabled":
            why, hint = workload.message, f"first: workloadctl resume {name}"
            raise Declined("AtRest", f"cannot roll {name} back: {why}", hint)
        revision = await self._target(workload, to)
        at, key = self._clock(), self._key_of(name)
        if not key:
            why = "its file cannot be read: it stays at its last good deployment"
            raise Declined("InvalidFile", f"cannot roll {name} back: {why}", "put the file right")
        await self._set(Hand(name, "hold", ask.by, at, ask.reason, revision, key))
        message = f"held at {revision[:SHORT]} {ask.words}"
        told = await self._told(workload, message)
        return Answer(told.message, fields={"revision": revision})

    async def update(self, workload: WorkloadStatus, ask: Ask) -> Answer:
        """Let newer images in, whatever the workload's policy and window say."""
        name = workload.name
        hands = await self._history.hands.of(name)
        if "update" in hands:
            return self._same("an update was asked for already")
        said = {"pause": "paused", "stop": "stopped", "hold": "held at a revision"}
        if kept := sorted(said[kind] for kind in said.keys() & hands.keys()):
            hint = f"go on with workloadctl resume {name}"
            raise Declined("HeldBack", f"cannot update {name}: it is {', '.join(kept)}", hint)
        if not workload.enabled or workload.current is None:
            raise Declined("NotDeployed", f"cannot update {name}: it is not deployed")
        if not workload.tagged:
            message = f"cannot update {name}: its image goes by a digest, and never moves"
            raise Declined("Pinned", message, "change the digest in its file")
        await self._set(Hand(name, "update", ask.by, self._clock(), ask.reason))
        await self._told(workload, f"newer images asked for {ask.words}")
        return Answer("newer images are rolled out, if there are any")

    async def resume(self, workload: WorkloadStatus, ask: Ask) -> Answer:
        """Take back pause, stop and hold; what was found bad may be tried again."""
        name = workload.name
        hands = await self._history.hands.of(name)
        taken = [hand for kind, hand in hands.items() if kind in ("pause", "stop", "hold")]
        await self._take_back(workload, taken, ask)
        await self._history.forget_bad(name)
        self._forget(name)
        deployed = workload.condition("Deployed")
        if not taken and not (deployed and deployed.reason == "RolledBack"):
            return self._same("it is neither paused, stopped nor held")
        return await self._told(workload, f"resumed {ask.words}")

    async def _take_back(self, workload: WorkloadStatus, taken: list[Hand], ask: Ask) -> None:
        """Drop wishes; what had yet to prove itself as it was left alone gets its time from now."""
        if any(hand.kind != "hold" for hand in taken):
            # First this: nobody sees it at work again without it.
            await self._set(Hand(workload.name, "start", ask.by, self._clock(), ask.reason))
        for hand in taken:
            await self._history.clear_hand(hand)

    async def _set(self, hand: Hand) -> None:
        log.info("%s: %s asked for %s", hand.workload, hand.by, hand.kind)
        await self._history.set_hand(hand)

    async def _told(self, workload: WorkloadStatus, message: str) -> Answer:
        """Note it in the history, and have the loop look at it."""
        with suppress(Transient):  # it is kept; that it is noted as well is not needed
            await self._history.note(workload.name, self._clock(), "by-hand", message)
        self._wake()
        return Answer(message)

    def _same(self, message: str, fields: Mapping[str, object] | None = None) -> Answer:
        """It is so already; who waits for that to be seen need not wait for the next pass."""
        self._wake()
        return Answer(message, False, fields or {})

    async def _target(self, workload: WorkloadStatus, to: str) -> str:
        """The revision that is meant, of those whose containers are here."""
        name, here = workload.name, _deployments(workload)
        shown = "; ".join(f"{which} is {revision[:SHORT]}" for revision, which in here.items())
        hint = f"there are: {shown}" if here else "nothing is deployed"
        if workload.job:
            why = "of a job no older deployment is kept"
            raise Declined("IsAJob", f"cannot roll {name} back: {why}", "change its file back")
        if not to:
            if workload.previous is None:
                why = "there is no previous deployment"
                raise Declined("NoPrevious", f"cannot roll {name} back: {why}", hint)
            return workload.previous.revision
        found = [revision for revision in here if revision.startswith(to)]
        if len(found) == 1 and len(to) >= SHORTEST:
            return found[0]
        if found:
            why = f"{to} is not long enough to tell which"
            raise Declined("Ambiguous", f"cannot roll {name} back: {why}", hint)
        why = await self._why_not(name, to)
        raise Declined("NoSuchRevision", f"cannot roll {name} back to {to}: {why}", hint)

    async def _why_not(self, name: str, to: str) -> str:
        rows = await self._history.rollouts(name, 100)
        known = next((row for row in rows if row.revision.startswith(to)), None)
        if known is None:
            return "no such revision was ever rolled out"
        at = datetime.fromtimestamp(known.started_at, UTC)
        kept = "rollout.keep in workloadd.toml and update.keep in its file say how many are kept"
        return f"its containers of {at:%Y-%m-%d %H:%M} UTC were removed; {kept}"


def _deployments(workload: WorkloadStatus) -> dict[str, str]:
    """What can be gone back to: the revisions whose containers are here."""
    ordered = (
        ("current", workload.current),
        ("previous", workload.previous),
        *(("older", one) for one in workload.older),
        ("next", workload.next),
    )
    found: dict[str, str] = {}
    for which, deployment in ordered:
        if deployment:
            found.setdefault(deployment.revision, which)
    return found


def _require_managed(workload: WorkloadStatus, what: str) -> None:
    name = workload.name
    if workload.unit.load_state == "masked":
        hint = f"systemctl --user unmask {workload.unit.name}"
        raise Declined("Masked", f"cannot {what} {name}: its unit is masked", hint)
    if workload.state == "Removing":
        raise Declined("Removing", f"cannot {what} {name}: {workload.message}")
