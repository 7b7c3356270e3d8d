"""Failures as values, and the kinds of exception that become such values.

Third-party errors are translated once, at the border (`workloadd.host`), into `Transient` or
`Permanent`; everything behind the border deals in these two and in `Problem`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something is not as it should be, in a form for the status and for metrics.

    `reason` is CamelCase and stable (a machine may match on it), `message` is a sentence that
    begins with "cannot" where something failed, `hint` says what to do next.
    """

    reason: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class WorkloaddError(Exception):
    """Base of what an effect may raise; carries a `Problem`."""

    def __init__(self, reason: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.problem = Problem(reason, message, hint)


class Transient(WorkloaddError):  # noqa: N818 - the field's word for it
    """Likely to succeed later without anybody's help (a socket restarting, a registry away)."""


class Permanent(WorkloaddError):  # noqa: N818
    """Will fail again until a person changes something (a rejected spec, a missing file)."""


class Declined(WorkloaddError):  # noqa: N818
    """A person asked for what cannot be done as things are: nothing has failed."""
