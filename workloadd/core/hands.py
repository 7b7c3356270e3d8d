"""What people asked for by hand, kept until it is done or taken back.

It is the one part of what is wanted that is in no file: the history keeps it, so that it outlives
the daemon and the host's reboots. Nothing about it is ever stored but who, when, why and what.
"""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import Literal

from workloadd.core.names import SHORT

Kind = Literal["pause", "stop", "start", "hold", "restart", "update"]
"""`pause` and `stop` last until they are taken back, `hold` (at a revision) until the file changes
as well, `restart` and `update` until they are done. `start` is when it last was started or resumed:
a deployment that has to prove itself gets its time from then on."""


@dataclass(frozen=True, slots=True)
class Hand:
    """One such wish; a workload has at most one of each kind. `at` is seconds since the epoch.

    `revision` is what it is about, `spec_key` (see `revision.spec_key`) the file as it was then.
    """

    workload: str
    kind: Kind
    by: str
    at: float
    reason: str = ""
    revision: str = ""
    spec_key: str = ""

    @property
    def words(self) -> str:
        """Who and why, as the end of a sentence."""
        return said_by(self.by, self.reason)

    @property
    def where(self) -> str:
        """The revision, as people are shown it."""
        return self.revision[:SHORT]


Hands = Mapping[str, Mapping[str, Hand]]
"""By workload and kind."""


def without(hands: Hands, cleared: Container[Hand]) -> Hands:
    """Those that were not cleared meanwhile."""
    return {
        workload: {kind: hand for kind, hand in kinds.items() if hand not in cleared}
        for workload, kinds in hands.items()
    }


@dataclass(frozen=True, slots=True)
class Ask:
    """What a person asks for: who it is, why, and what else the request says."""

    by: str
    reason: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """Who and why, as the end of a sentence."""
        return said_by(self.by, self.reason)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of it, in a sentence; `changed` is False where it was so already.

    `fields` are further ones of the document that is answered with.
    """

    message: str
    changed: bool = True
    fields: Mapping[str, object] = field(default_factory=dict)


def said_by(who: str, reason: str) -> str:
    """Who and why, as the end of a sentence."""
    return f"by {who}: {reason}" if reason else f"by {who}"
