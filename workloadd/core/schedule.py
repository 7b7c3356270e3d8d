"""What the units of a job say besides what those of every container do."""

from dataclasses import dataclass, fields
from typing import Any, Literal

from workloadd.spec.job import JobSpec

Overlap = Literal["skip", "replace"]


@dataclass(frozen=True, slots=True)
class JobParams:
    """A job's own part of `UnitParams`; times are in seconds, `timeout` 0.0 is none.

    `calendar` are expressions with their time zones; without one the job runs once.
    """

    calendar: tuple[str, ...] = ()
    randomized_delay: float = 0.0
    catch_up: bool = False
    timeout: float = 0.0
    retries: int = 0
    retry_delay: float = 10.0
    overlap: Overlap = "skip"
    inhibit_reboot: bool = False

    @property
    def scheduled(self) -> bool:
        """Whether a timer starts it."""
        return bool(self.calendar)

    @property
    def needs_trigger(self) -> bool:
        """Whether its timer starts a unit that starts the job, instead of the job itself.

        systemd counts every start against the bound on retries, until it is told to forget them;
        and a timer never restarts what runs.
        """
        return self.scheduled and (self.retries > 0 or self.overlap == "replace")

    @classmethod
    def of(cls, spec: JobSpec) -> "JobParams":
        """What a spec says."""
        return cls(
            calendar=spec.calendar,
            randomized_delay=spec.randomized_delay,
            catch_up=spec.catch_up,
            timeout=spec.timeout or 0.0,
            retries=spec.retries,
            retry_delay=spec.retry_delay,
            overlap=spec.overlap,
            inhibit_reboot=spec.inhibit_reboot,
        )

    @classmethod
    def read(cls, raw: Any) -> "JobParams | None":
        """The parameters in a label's JSON; what a later version added is passed over.

        Raises:
            TypeError, AttributeError: they cannot be read.
        """
        if raw is None:
            return None
        known = {f.name: raw[f.name] for f in fields(cls) if f.name in raw}
        return cls(**{**known, "calendar": tuple(raw.get("calendar", ()))})
