"""Comparing what serves with the file as it is now, or with what was rolled out before."""

import asyncio
import hashlib
import hmac
import logging
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Protocol

from workloadd.core.describe import (
    Content,
    Fingerprint,
    changes,
    describe,
    describe_revision,
    whole,
)
from workloadd.core.desired import Declared
from workloadd.core.errors import Declined
from workloadd.core.names import SHORT, SHORTEST
from workloadd.core.revision import Revision
from workloadd.core.status import WorkloadStatus, moment
from workloadd.history import RevisionRow
from workloadd.spec.model import WorkloadSpec

log = logging.getLogger(__name__)

Known = tuple[Declared, Revision | None]


class RevisionsKept(Protocol):
    """What is needed of the revisions in the history."""

    async def find(self, workload: str, prefix: str) -> list[RevisionRow]: ...

    async def keep(self, workload: str, revision: str, at: float, content: Content) -> None: ...


class Comparer:
    """Keeps what revisions are like as they are rolled out, and tells how two differ.

    `key` is that of this host (it blocks, and raises `OSError`); `wanted` tells a workload's file
    as the last pass read it, and the revision that it came to.
    """

    def __init__(
        self,
        revisions: RevisionsKept,
        key: Callable[[], bytes],
        wanted: Callable[[str], Known | None],
    ) -> None:
        self._revisions = revisions
        self._key = key
        self._wanted = wanted

    async def keep(self, revision: Revision, at: float) -> None:
        """Keep what is rolled out."""
        try:
            fingerprint = await self._fingerprint()
        except OSError as error:
            log.warning("%s: not kept for diff: %s", revision.workload, error)
            return
        content = describe_revision(revision, fingerprint)
        await self._revisions.keep(revision.workload, revision.digest, at, content)

    async def diff(self, workload: WorkloadStatus, revision: str) -> dict[str, Any]:
        """The document that says how they differ; without `revision` it is with the file.

        Raises:
            Declined: there is nothing to compare, or it is not known what it is like.
        """
        name, current = workload.name, workload.current
        if current is None:
            raise Declined("NotDeployed", f"cannot compare {name}: nothing is deployed")
        serving = await self._kept(name, current.revision)
        if revision:
            row = await self._find(name, revision)
            before, old = _named(row.revision, row.at), row.content
            after, new = _named(serving.revision, serving.at, "current"), serving.content
        else:
            before, old = _named(serving.revision, serving.at, "current"), serving.content
            after, new = {"what": "the file as it is now"}, await self._declared(name)
        found = changes(old, new)
        return {
            "workload": name,
            "from": before,
            "to": after,
            "same": not found,
            "changes": [asdict(change) for change in found],
        }

    async def spec(self, workload: WorkloadStatus) -> dict[str, Any]:
        """The document that says what a workload's file comes to, with all defaults.

        Raises:
            Declined: its file is gone or invalid.
        """
        spec = self._spec(workload.name, "show the specification of")
        return {"workload": workload.name, "source": workload.source, "spec": whole(spec)}

    def _spec(self, name: str, what: str) -> WorkloadSpec:
        declared, _ = self._wanted(name) or (None, None)
        if declared is None or declared.spec is None:
            why = "its file is invalid" if declared else "its file is gone"
            hint = f"see workloadctl status {name}"
            raise Declined("InvalidFile", f"cannot {what} {name}: {why}", hint)
        return declared.spec

    async def _kept(self, name: str, revision: str) -> RevisionRow:
        if rows := await self._revisions.find(name, revision):
            return rows[0]
        known = self._wanted(name)
        if known and known[1] and known[1].digest == revision:
            return RevisionRow(revision, 0.0, await self._declared(name))
        why = "it was rolled out before workloadd kept what revisions are like"
        raise Declined("NotKept", f"cannot compare {name} {revision[:SHORT]}: {why}")

    async def _find(self, name: str, prefix: str) -> RevisionRow:
        rows = await self._revisions.find(name, prefix) if len(prefix) >= SHORTEST else []
        if len(rows) == 1:
            return rows[0]
        everything = await self._revisions.find(name, "")
        shown = ", ".join(row.revision[:SHORT] for row in everything[:10])
        hint = f"there are: {shown}; workloadctl history {name} says when" if shown else ""
        why = "it is not long enough to tell which" if rows else "there is none that begins so"
        raise Declined("NoSuchRevision", f"cannot find revision {prefix} of {name}: {why}", hint)

    async def _declared(self, name: str) -> Content:
        spec, known = self._spec(name, "compare"), self._wanted(name)
        fingerprint = await self._fingerprint()
        if known and known[1]:
            return describe_revision(known[1], fingerprint)
        return describe(spec, {}, known[0].inputs if known else {}, fingerprint)

    async def _fingerprint(self) -> Fingerprint:
        key = await asyncio.to_thread(self._key)
        return lambda text: hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:16]


def _named(revision: str, at: float, what: str = "revision") -> dict[str, Any]:
    when = moment(at)
    return {"what": what, "revision": revision, "at": when.isoformat() if when else None}
